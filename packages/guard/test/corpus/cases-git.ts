import type { Case, Corpus } from './case.ts';

const init = 'cd ws; git init -q .; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m i';
const trap = 'touch $OUT/PWNED';

/** A repository with a trap in it, and git that the daemon runs there: nothing of it may run. */
const trapped = (title: string, before: string, ...args: string[]): Case => ({
  title,
  before: `${init}; ${before}`,
  steps: [['git', ...args]],
  end: { either: true, hides: 'TRAPPED' },
});

const configured = (key: string, args: readonly string[], more = 'true', value = trap): Case =>
  trapped(`configuration ${key}`, `git config ${key} "${value}"; ${more}`, ...args);

const refusedConfig = (key: string, value: string): Case => ({
  title: `configuration ${key} is refused`,
  before: `${init}; git config ${key} "${value}"`,
  steps: [['git', 'status', '--porcelain']],
  end: { refused: 'E_PROTECTED' },
});

export const gitCases: Corpus = {
  'git of the daemon': [
    configured('core.fsmonitor', ['status'], 'touch f'),
    configured('core.sshCommand', ['ls-remote', 'ssh://localhost/x']),
    configured('core.gitProxy', ['ls-remote', 'git://localhost/x']),
    configured('core.askPass', ['ls-remote', 'https://localhost/x']),
    configured('core.editor', ['commit', '--allow-empty']),
    configured('sequence.editor', ['rebase', '-i', 'HEAD']),
    configured('core.pager', ['-p', 'log']),
    configured('pager.log', ['-p', 'log']),
    configured('credential.helper', ['ls-remote', 'https://localhost/x'], 'true', `!${trap}`),
    configured('diff.external', ['diff', 'HEAD'], 'echo a > f; git add f'),
    configured('gpg.program', [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      'commit',
      '-S',
      '--allow-empty',
      '-m',
      'x',
    ]),
    configured('filter.x.clean', ['add', 'f'], 'echo "* filter=x" > .gitattributes; echo a > f'),
    configured(
      'filter.x.smudge',
      ['checkout', '-f', 'HEAD', '--', 'f'],
      'echo a > f; git add f; git -c user.name=a -c user.email=a@b commit -qm f; echo "* filter=x" > .gitattributes; rm f',
    ),
    configured('filter.x.process', ['add', 'f'], 'echo "* filter=x" > .git/info/attributes; echo a > f'),
    configured('merge.x.driver', ['merge', 'other'], 'echo "* merge=x" > .gitattributes'),
    configured('remote.x.uploadpack', ['fetch', 'x'], 'git config remote.x.url .'),
    configured('remote.x.vcs', ['fetch', 'x'], 'true', 'ext'),
    configured('url.ext::sh.insteadOf', ['fetch', 'x'], 'true', 'x'),
    configured('uploadpack.packObjectsHook', ['fetch', '.']),
    configured('trailer.x.command', ['interpret-trailers', '--trailer', 'x=1', '/dev/null']),
    configured(
      'includeIf.gitdir:/.path',
      ['status'],
      'printf "[core]\\n fsmonitor = touch $OUT/PWNED\\n" > inc',
      '../inc',
    ),
    ...[
      ['core.worktree', '$OUT'],
      ['core.hooksPath', '../h'],
      ['core.attributesFile', '$OUT/a'],
      ['core.alternateRefsCommand', 'x'],
      ['include.path', '$OUT/inc'],
      ['alias.status', '!x'],
      ['interactive.diffFilter', 'x'],
      ['difftool.x.cmd', 'x'],
      ['submodule.x.update', '!x'],
      ['extensions.worktreeConfig', 'true'],
      ['receive.procReceiveRefs', 'x'],
      ['browser.x.cmd', 'x'],
    ].map(([key, value]) => refusedConfig(key ?? '', value ?? '')),
    {
      title: 'configuration of a worktree',
      before: `${init}; printf "[core]\\n fsmonitor = ${trap}\\n" > .git/config.worktree`,
      steps: [['git', 'status']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'configuration in capitals',
      before: `${init}; printf "[CORE]\\n FSMonitor = ${trap}\\n" >> .git/config`,
      steps: [['git', 'status']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'configuration that is a link',
      before: `${init}; mv .git/config ../outside/config; ln -s $OUT/config .git/config`,
      steps: [['git', 'status']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'configuration that is a pipe',
      before: `${init}; rm .git/config; mkfifo .git/config`,
      steps: [['git', 'status']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'configuration that is broken',
      before: `${init}; echo "[core" > .git/config`,
      steps: [['git', 'status']],
      end: { refused: ['E_PROTECTED', 'E_IO'] },
    },
    {
      title: 'a repository that is a link',
      before: 'cd outside; git init -q .; cd ..; ln -s ../outside/.git ws/.git',
      steps: [['git', 'status']],
      end: { refused: 'E_PROTECTED' },
    },
    {
      title: 'a repository that is a file',
      before: 'cd outside; git init -q .; echo "gitdir: $OUT/.git" > ../ws/.git',
      steps: [['git', 'status']],
      end: { refused: 'E_PROTECTED' },
    },
    { title: 'no repository', steps: [['git', 'status']], end: { refused: ['E_PROTECTED', 'E_NOT_FOUND'] } },
    {
      title: 'a repository of files without .git',
      before: `cd ws; git init -q --bare .; git config core.fsmonitor "${trap}"`,
      steps: [['git', 'status']],
      end: { refused: ['E_PROTECTED', 'E_NOT_FOUND'] },
    },
    trapped(
      'a common folder elsewhere',
      'cp -r .git ../outside/g; git --git-dir ../outside/g config core.fsmonitor "touch $OUT/PWNED"; echo $OUT/g > .git/commondir',
      'status',
    ),
    trapped(
      'objects of somebody else',
      'cd ../outside; git init -q .; cp secret.txt x; git add x; git -c user.name=a -c user.email=a@b commit -qm s; git rev-parse HEAD:x > $WS/id; echo $OUT/.git/objects > $WS/.git/objects/info/alternates; cp .git/HEAD $WS/.git/HEAD; cp -r .git/refs $WS/.git/; true',
      'show',
      'HEAD:x',
    ),
    ...['post-checkout', 'pre-commit', 'reference-transaction', 'post-index-change', 'pre-auto-gc'].map(
      (hook) =>
        trapped(
          `hook ${hook}`,
          `printf "#!/bin/sh\\n${trap}\\n" > .git/hooks/${hook}; chmod +x .git/hooks/${hook}`,
          ...(hook === 'pre-commit'
            ? ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--allow-empty', '-qm', 'x']
            : ['checkout', '-q', '-b', 'other']),
        ),
    ),
    trapped(
      'a submodule with an address that runs',
      'printf "[submodule \\"x\\"]\\n path = x\\n url = ext::sh -c touch%% $OUT/PWNED\\n update = !touch $OUT/PWNED\\n" > .gitmodules; mkdir x',
      'submodule',
      'update',
      '--init',
    ),
    trapped('a transport that runs', 'true', 'ls-remote', `ext::sh -c "${trap}"`),
    trapped('a transport of files', 'true', 'ls-remote', 'file://$OUT'),
    trapped(
      'a name like an option',
      'git update-ref refs/heads/--upload-pack=x HEAD || true',
      'log',
      '--all',
      '--oneline',
    ),
    trapped(
      'a bare repository below',
      `git init -q --bare b; git -C b config core.fsmonitor "${trap}"`,
      '-C',
      'b',
      'status',
    ),
    trapped(
      'a repository below',
      `git init -q n; git -C n config core.fsmonitor "${trap}"; touch n/f`,
      'status',
      '--porcelain',
    ),
    trapped(
      'an index that checks out through a link',
      'mkdir d; echo PWNED > d/n; git add d; git -c user.name=a -c user.email=a@b commit -qm d; rm -r d; ln -s $OUT d',
      'checkout',
      '-f',
      '--',
      '.',
    ),
    {
      title: 'ordinary questions are answered',
      before: `${init}; echo a > f`,
      steps: [
        ['git', 'status', '--porcelain'],
        ['git', 'log', '--oneline'],
        ['git', 'diff'],
      ],
      end: { shows: '?? f' },
    },
    {
      title: 'a checkout of ordinary files works',
      before: `${init}; echo a > f; git add f; git -c user.name=a -c user.email=a@b commit -qm f; echo b > f`,
      steps: [['git', 'checkout', '-f', 'HEAD', '--', 'f']],
      end: { holds: 'f=a\n' },
    },
  ],
  'git of commands': [
    {
      title: 'a hook, a configuration and attributes cannot be changed',
      before: init,
      steps: [
        [
          'run',
          'git config core.fsmonitor x; echo x >> .git/config; echo x > .git/hooks/new; rm -rf .git/hooks; mv .git/config c; echo "* filter=x" > .git/info/attributes; grep -q fsmonitor .git/config && echo THROUGH; ls .git/hooks/new && echo THROUGH; ls .git/hooks/*.sample > /dev/null || echo THROUGH',
        ],
      ],
      end: { hides: 'THROUGH' },
    },
    {
      title: 'the repository cannot be moved or replaced',
      before: init,
      steps: [['run', 'mv .git g && mkdir .git && echo MOVED; rm -rf .git; ls .git/config && echo KEPT']],
      end: { shows: 'KEPT', hides: 'MOVED' },
    },
    {
      title: 'a repository that is a file cannot be replaced',
      before: 'echo "gitdir: nowhere" > ws/.git',
      steps: [['run', 'echo "gitdir: /tmp/x" > .git; rm -f .git; mv .git g; true']],
      end: { holds: '.git=gitdir: nowhere\n' },
    },
    {
      title: 'an empty repository folder cannot be replaced',
      before: 'mkdir ws/.git',
      steps: [['run', 'rmdir .git; mv .git g; ls -d .git && echo KEPT']],
      end: { shows: 'KEPT' },
    },
    {
      title: 'a nested repository is held too',
      before: 'mkdir -p ws/a/b; cd ws/a/b; git init -q .',
      steps: [
        [
          'run',
          'mv a c && echo MOVED; mv a/b a/c && echo MOVED; echo x >> a/b/.git/config; echo x > a/b/.git/hooks/y; git -C a/b status',
        ],
      ],
      end: { hides: 'MOVED' },
    },
    { title: 'a new repository is reported', steps: [['run', 'git init -q sub']], end: { event: 'git-dir' } },
    {
      title: 'the workspace made a bare repository is reported',
      steps: [['run', 'git init -q --bare .']],
      end: { event: 'git-dir' },
    },
    {
      title: 'a folder that borrows its objects is reported',
      steps: [['run', 'mkdir w; echo "ref: refs/heads/x" > w/HEAD; echo ../g > w/commondir']],
      end: { event: 'git-dir' },
    },
    {
      title: 'a file that leads to a repository is reported',
      steps: [['run', 'mkdir s; echo "gitdir: ../x" > s/.git']],
      end: { event: 'git-dir' },
    },
    { title: 'in any case of letters', steps: [['run', 'mkdir -p s/.GIT']], end: { event: 'git-dir' } },
    {
      title: 'a new hook is reported',
      before: 'mkdir ws/.git',
      steps: [['run', 'mkdir .git/hooks; echo x > .git/hooks/y']],
      end: { event: 'protected-changed' },
    },
    {
      title: 'new modules are reported',
      steps: [['run', 'echo x > .gitmodules']],
      end: { event: 'protected-changed' },
    },
    {
      title: 'work goes on: add, commit, branch, merge, stash, tag',
      before: init,
      steps: [
        [
          'run',
          'git config --get user.name; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; set -e; echo a > f; git add f; git commit -qm a; git checkout -q -b x; echo b > f; git commit -qam b; git checkout -q -; git merge -q x; git tag t; echo c > f; git stash -q; git stash pop -q; git diff --stat; git log --oneline | wc -l',
        ],
      ],
      end: { shows: '3' },
    },
  ],
};
