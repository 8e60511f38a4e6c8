import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSandbox, toolchains } from '@switchyard/guard';
import { openOptions, shell, useScene } from './scene.ts';

const scene = useScene();
let home = '';
beforeEach(() => {
  home = mkdtempSync(join(homedir(), '.guard-test-home-'));
});
afterEach(() => rmSync(home, { recursive: true }));

/** Lays files; a content `-> x` makes a link, one that begins with `#!` a program. */
function lay(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const place = join(home, path);
    mkdirSync(dirname(place), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), place);
    else writeFileSync(place, content, { mode: content.startsWith('#!') ? 0o755 : 0o644 });
  }
}

const says = (text: string): string => `#!/bin/sh\necho ${text}\n`;
const secret = 'SECRET';

/** Homes as the installers of these managers leave them: real places, shims that look things up as the real ones do. */
const managers: Readonly<Record<string, { files: Record<string, string>; path: string[]; tools: string[] }>> =
  {
    nvm: {
      files: { '.nvm/versions/node/v20.1.0/bin/t-nvm': says('nvm'), '.nvm/.npmrc': secret },
      path: ['.nvm/versions/node/v20.1.0/bin'],
      tools: ['t-nvm'],
    },
    fnm: {
      files: {
        '.local/share/fnm/node-versions/v20/installation/bin/t-fnm': says('fnm'),
        // As in each shell: a link in a folder of its own.
        'run/fnm_multishells/1': '-> ../../.local/share/fnm/node-versions/v20/installation',
        'run/secret': secret,
      },
      path: ['run/fnm_multishells/1/bin'],
      tools: ['t-fnm'],
    },
    volta: {
      files: {
        '.volta/bin/volta-shim':
          '#!/bin/sh\nV=${VOLTA_HOME:-$HOME/.volta}\ntest -e $V/layout.v4 || exit 1\nexec $V/tools/image/node/20/bin/$(basename $0)\n',
        '.volta/bin/t-volta': '-> volta-shim',
        '.volta/layout.v4': '',
        '.volta/tools/image/node/20/bin/t-volta': says('volta'),
        '.volta/hooks.json': secret,
      },
      path: ['.volta/bin'],
      tools: ['t-volta'],
    },
    asdf: {
      files: {
        '.asdf/shims/t-asdf': '#!/bin/sh\nexec $ASDF_DIR/bin/asdf exec t-asdf "$@"\n',
        '.asdf/bin/asdf':
          '#!/bin/sh\n. ${ASDF_DIR:-$HOME/.asdf}/lib/utils.bash\nexec ${ASDF_DATA_DIR:-$HOME/.asdf}/installs/thing/$(version thing)/bin/$2\n',
        '.asdf/lib/utils.bash': "version() { awk -v n=$1 '$1 == n { print $2 }' $HOME/.tool-versions; }\n",
        '.asdf/installs/thing/1.2/bin/t-asdf': says('asdf'),
        '.tool-versions': `thing 1.2 # ${secret}\n`,
        '.asdf/.git/config': secret,
      },
      path: ['.asdf/shims'],
      tools: ['t-asdf'],
    },
    mise: {
      files: {
        '.local/bin/mise':
          '#!/bin/sh\nD=${MISE_DATA_DIR:-$HOME/.local/share/mise}\nexec $D/installs/gadget/$(sed -n "s/^gadget //p" ~/.tool-versions)/bin/$(basename $0)\n',
        '.local/share/mise/shims/t-mise': '-> ../../../bin/mise',
        '.local/share/mise/installs/gadget/22.1/bin/t-mise': says('mise'),
        '.config/mise/config.toml': `[env]\nTOKEN = "${secret}"\n[tools]\ngadget = { version = "22.1", postinstall = "echo ${secret}" }\n"npm:x" = ["1", "2"]\n[settings]\nsecret = "${secret}"\n`,
        '.local/bin/own-script': `#!/bin/sh\necho ${secret}\n`,
      },
      path: ['.local/share/mise/shims', '.local/bin'],
      tools: ['t-mise'],
    },
    pyenv: {
      files: {
        '.pyenv/shims/t-pyenv':
          '#!/bin/sh\nR=${PYENV_ROOT:-$HOME/.pyenv}\nexec $R/libexec/pyenv exec t-pyenv\n',
        '.pyenv/libexec/pyenv':
          '#!/bin/sh\nR=${PYENV_ROOT:-$HOME/.pyenv}\nexec $R/versions/$(cat $R/version)/bin/$2\n',
        '.pyenv/version': '3.13\n',
        '.pyenv/versions/3.13/bin/t-pyenv': says('pyenv'),
        '.pyenv/.git/config': secret,
      },
      path: ['.pyenv/shims'],
      tools: ['t-pyenv'],
    },
    rust: {
      files: {
        '.cargo/bin/rustup':
          '#!/bin/sh\nR=${RUSTUP_HOME:-$HOME/.rustup}\nexec $R/toolchains/$(sed -n \'s/default_toolchain = "\\(.*\\)"/\\1/p\' $R/settings.toml)/bin/$(basename $0)\n',
        '.cargo/bin/t-rust': '-> rustup',
        '.rustup/settings.toml': 'default_toolchain = "stable"\n',
        '.rustup/toolchains/stable/bin/t-rust': says('rust'),
        '.cargo/credentials.toml': secret,
        '.cargo/config.toml': secret,
      },
      path: ['.cargo/bin'],
      tools: ['t-rust'],
    },
    sdkman: {
      files: {
        '.sdkman/candidates/java/21/bin/t-sdkman': says('sdkman'),
        '.sdkman/candidates/java/current': '-> 21',
        '.sdkman/etc/config': secret,
      },
      path: ['.sdkman/candidates/java/current/bin'],
      tools: ['t-sdkman'],
    },
    others: {
      files: {
        '.bun/bin/t-bun': says('bun'),
        '.bunfig.toml': secret,
        '.deno/bin/t-deno': says('deno'),
        'go/bin/t-go': says('go'),
        'go/src/private.go': secret,
        'n/bin/t-n': says('n'),
        'n/notes': secret,
        '.local/bin/uv': '#!/bin/sh\nexec $UV_PYTHON_INSTALL_DIR/cpython-3.13/bin/t-uv\n',
        '.local/share/uv/python/cpython-3.13/bin/t-uv': says('uv'),
        '.local/share/uv/credentials/x': secret,
        'miniconda3/bin/t-conda': says('conda'),
        'miniconda3/.condarc': secret,
      },
      path: ['.bun/bin', '.deno/bin', 'go/bin', 'n/bin', '.local/bin', 'miniconda3/bin'],
      tools: ['t-bun', 't-deno', 't-go', 't-n', 'uv', 't-conda'],
    },
  };
const files = Object.assign(
  { '.ssh/id': secret, '.npmrc': secret },
  ...Object.values(managers).map((each) => each.files),
) as Record<string, string>;
const tools = Object.values(managers).flatMap((each) => each.tools);
const answers = tools.map((name) => `${name.replace('t-', '')}\n`).join('');

/** What a command finds, and what it must not find. */
async function look(searchPath: string | undefined) {
  const line = `for t in ${tools.join(' ')}; do $t || echo "no $t"; done
    grep -rlI ${secret} "$0"; echo x > "$0/.cargo/bin/t-rust" || echo held; cat ~/.tool-versions`;
  const sandbox = await openSandbox(openOptions({ home, ...(searchPath !== undefined && { searchPath }) }));
  try {
    const { output } = await sandbox.run(
      shell(scene, '', { argv: ['sh', '-c', `{ ${line}; } 2>/dev/null`, home] }),
    );
    return output;
  } finally {
    await sandbox.close();
  }
}

describe('toolchains of a home folder work inside, read-only, and no secret beside them is seen', () => {
  const expected = `${answers}held\ngadget 22.1\nnpm:x 1 2\nthing 1.2\n`;

  it('by the PATH of the daemon', async () => {
    lay(files);
    const path = Object.values(managers).flatMap((each) => each.path.map((entry) => join(home, entry)));
    expect(await look([...path, '/usr/bin', '/bin'].join(':'))).toBe(expected);
  });

  it('by their usual places, where no PATH is known', async () => {
    lay(files);
    // Which of nvm's and fnm's versions holds, only a shell knows.
    expect(await look(undefined)).toBe(expected.replace('nvm\nfnm\n', 'no t-nvm\nno t-fnm\n'));
  });

  it('which version holds, each command sees as it is then, and cannot change', async () => {
    lay(files);
    const sandbox = await openSandbox(openOptions({ home }));
    const line = 't-pyenv; echo x >"$PYENV_ROOT/version" || rm -f "$PYENV_ROOT/version" || echo held';
    const answer = async (): Promise<string> =>
      (await sandbox.run(shell(scene, '', { argv: ['sh', '-c', `{ ${line}; } 2>/dev/null`] }))).output;
    try {
      expect(await answer()).toBe('pyenv\nheld\n');
      lay({ '.pyenv/version': '3.14\n', '.pyenv/versions/3.14/bin/t-pyenv': says('newer') });
      expect(await answer()).toBe('newer\nheld\n');
      rmSync(join(home, '.pyenv/version'));
      expect(await answer()).not.toContain('newer'); // and it starts all the same
    } finally {
      await sandbox.close();
    }
  });

  it('and what cannot be seen is listed with its reason', () => {
    lay({ ...files, 'bin/own': says('own') });
    const path = ['bin', '.local/bin', '.cargo/bin'].map((entry) => join(home, entry));
    const hidden = toolchains({ home, searchPath: [...path, '/usr/bin'].join(':') }).filter(
      ({ visible }) => !visible,
    );
    expect(hidden.map(({ name, reason }) => [name, reason])).toEqual([
      [join(home, 'bin'), expect.stringMatching(/in the home folder, and of no version manager/)],
      [join(home, '.local/bin'), expect.stringMatching(/of it only mise, uv can be seen$/)],
    ]);
  });
});
