import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainFailure, machineFacts, openSandbox, type MachineProbe } from '@switchyard/guard';
import { otherBwrap } from './other-bwrap.ts';
import { openOptions, shell, useScene } from './scene.ts';

const scene = useScene();
const refusal = async (bwrapPath: string): Promise<{ code?: string; message?: string }> => {
  try {
    await (await openSandbox(openOptions({ bwrapPath }))).close();
    return {};
  } catch (error) {
    return error as { code: string; message: string };
  }
};
const program = (script: string): string => {
  const path = join(scene.base, 'bwrap');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
};

describe('no sandbox means refusal, never a free run', () => {
  it('names the command that installs a missing bubblewrap', async () => {
    const { code, message } = await refusal('/nonexistent/bwrap');
    expect(code).toBe('E_SANDBOX_UNAVAILABLE');
    expect(message).toMatch(/(apt-get install|dnf install|pacman -S|zypper install|apk add) bubblewrap/);
  });

  it('tells one that is too old, and what is none at all', async () => {
    const old =
      'echo bubblewrap 0.4.0; case $1 in --help) /usr/bin/bwrap --help | grep -v disable-userns;; esac';
    expect((await refusal(program(old))).message).toMatch(/too old \(no --disable-userns\)/);
    expect((await refusal(program('/usr/bin/bwrap --help'))).message).toMatch(/is not bubblewrap/);
  });

  it.each([
    ['a program that fails', 'exit 1'],
    ['a program that is something else', 'echo hello'],
    ['one that is too old', 'echo "bubblewrap 0.3.0 --args"'],
    [
      'one that cannot make namespaces',
      'case $1 in --help) /usr/bin/bwrap --help;; --version) echo bubblewrap 0.8.0;; *) echo "bwrap: setting up uid map: Permission denied" >&2; exit 1;; esac',
    ],
    [
      'one that runs the command free',
      'case $1 in --help) /usr/bin/bwrap --help;; --version) echo bubblewrap 0.8.0;; *) cd "$(dirname "$0")"; while [ "$1" != -- ]; do shift; done; shift; exec "$@";; esac',
    ],
  ])('refuses %s', async (_, script) => {
    expect((await refusal(program(script))).code).toBe('E_SANDBOX_UNAVAILABLE');
  });
});

const isRoot = process.getuid?.() === 0;

/** What a sandbox may lack, how it is taken away, and what the self-test says then. */
const parts: readonly (readonly [what: string, change: string, told: RegExp])[] = [
  ['the filter', "drop(b'--seccomp', 1)", /no system call filter is in force/],
  ['no capability', "replace(b'ALL', b'ALL', b'--cap-add', b'CAP_CHOWN')", /capabilities are left/],
  ...['ipc', 'net', 'uts'].map((name): [string, string, RegExp] => [
    `the ${name} namespace`,
    '',
    new RegExp(`commands share the ${name} namespace`),
  ]),
  ['a network of its own', '', /could connect to the host/],
  [
    'a private /tmp',
    "replace(b'--chdir', b'--bind', b'/tmp', b'/tmp', b'--chdir')",
    /could read a file outside/,
  ],
  ['... which is not written', '', /could write a file outside; .*a command wrote outside/],
  ['a read-only root', "drop_pair(b'--remount-ro', b'/')", /could write to \//],
  [
    'limits',
    "command[:] = [word.replace(b'ulimit', b'true') for word in command]",
    /no limit of processes; a command has no limit of fileBytes; a command has no limit of memoryBytes/,
  ],
  ...(isRoot
    ? ([
        ['a read-only /usr', "options[options.index(b'/usr') - 1] = b'--bind'", /could write to \/usr/],
        ['a read-only /proc', "drop_pair(b'--remount-ro', b'/proc')", /could change the kernel/],
        [
          "devices that are nobody's",
          "while b'--dev-bind' in options: drop(b'--dev-bind', 2)",
          /could change a device of this machine/,
        ],
      ] as const)
    : []),
];

describe('a sandbox in which something does not hold is refused, and that is named', () => {
  it('each part that is missing', async () => {
    const all = "replace(b'--unshare-all', b'--unshare-pid')\ndrop(b'--hostname', 1)";
    const changes = [all, ...parts.map(([, change]) => change)];
    const { code, message } = await refusal(otherBwrap(scene.base, changes.join('\n')));
    expect(code).toBe('E_SANDBOX_UNAVAILABLE');
    for (const [what, , told] of parts) expect(message, what).toMatch(told);
  });

  it.each([
    ['one part alone', "drop(b'--seccomp', 1)", /self-test failed: no system call filter is in force$/],
    // To some users the kernel then does not even mount /proc.
    [
      'the namespace of processes',
      "replace(b'--unshare-all', b'--unshare-ipc', b'--unshare-net', b'--unshare-uts')",
      /commands share the pid namespace|does not start/,
    ],
    [
      'a shell that can set limits',
      "command[:] = [word.replace(b'ulimit', b'false') for word in command]",
      /a harmless command fails/,
    ],
  ])('%s', async (_, change, told) => {
    const { code, message } = await refusal(otherBwrap(scene.base, change));
    expect(code).toBe('E_SANDBOX_UNAVAILABLE');
    expect(message).toMatch(told);
  });

  it('a program that runs the command free has all of it named', async () => {
    // It goes where it is told to: else it would write into the folder / of the machine, if it may.
    const free = `os.write(4, b'{"exit-code": 0}')
os.chdir(options[options.index(b'--chdir') + 1])
os.execvp(command[0], command)`;
    const { message = '' } = await refusal(otherBwrap(scene.base, free));
    for (const part of [
      'read a file outside',
      'write a file outside',
      'signal the daemon',
      'connect to the host',
      'wrote outside',
      ...['user', 'mnt', 'pid', 'net', 'ipc', 'uts'].map((name) => `share the ${name} namespace`),
      'privileges can be gained',
      'no system call filter is in force',
      ...(isRoot
        ? ['write to /', 'write to /usr', 'capabilities are left', 'capabilities can be had again']
        : []),
    ])
      expect(message).toContain(part);
    expect(message).not.toContain('harmless');
  });

  it.each([
    ['the filter is refused by the kernel', 'bwrap: prctl(PR_SET_SECCOMP): Invalid argument'],
    ['a mount is refused', "bwrap: Can't bind mount /oldroot/usr on /newroot/usr: Permission denied"],
    ['it says nothing', ''],
  ])('%s: its words are told', async (_, words) => {
    const { code, message } = await refusal(otherBwrap(scene.base, `sys.exit(${JSON.stringify(words)})`));
    expect(code).toBe('E_SANDBOX_UNAVAILABLE');
    expect(message).toContain(words === '' ? 'it said nothing' : words);
  });

  it.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'riscv64'],
  ])('a machine that none is made for: %s %s', async (platform, arch) => {
    const own = { platform: process.platform, arch: process.arch };
    const pretend = (machine: typeof own): void => {
      for (const [name, value] of Object.entries(machine)) Object.defineProperty(process, name, { value });
    };
    try {
      pretend({ platform: platform as typeof own.platform, arch: arch as typeof own.arch });
      await expect(openSandbox(openOptions())).rejects.toMatchObject({
        code: 'E_SANDBOX_UNAVAILABLE',
        message: expect.stringContaining(`on ${platform} ${arch}`) as string,
      });
    } finally {
      pretend(own);
    }
  });
});

describe('a sandbox that breaks later runs nothing free', () => {
  /** Opens it whole, then breaks it. */
  async function broken(change: string, more: Parameters<typeof shell>[2] = {}): Promise<unknown> {
    const sandbox = await openSandbox(openOptions({ bwrapPath: otherBwrap(scene.base) }));
    try {
      otherBwrap(scene.base, change);
      return await sandbox.run(shell(scene, 'echo ran > ran', more)).catch((error: unknown) => error);
    } finally {
      await sandbox.close();
    }
  }

  it.each([
    ['bwrap does not start any more', "sys.exit('bwrap: setting up uid map: Permission denied')"],
    ['bwrap is killed while it sets up', 'os.kill(os.getpid(), 9)'],
  ])('%s', async (_, change) => {
    expect(await broken(change)).toMatchObject({ code: 'E_SANDBOX' });
    expect(existsSync(join(scene.workspace, 'ran'))).toBe(false);
  });

  it('the way to the network is lost', async () => {
    const at = "options.index(b'/run/switchyard/forward.cjs')";
    const change = `n = ${at}\ndel options[n - 4:n + 1]`;
    const answer = await broken(change, { network: { allow: ['example.org'] } });
    expect(answer).toMatchObject({ exitCode: 125 });
    expect((answer as { output: string }).output).toContain('The way to the network could not be opened');
    expect(existsSync(join(scene.workspace, 'ran'))).toBe(false);
  });
});

/** A machine as far as it is asked, with settings below /proc/sys. */
const machine = (
  settings: Readonly<Record<string, string>>,
  more: { isRoot?: boolean; files?: readonly string[]; read?: Readonly<Record<string, string>> } = {},
): MachineProbe => ({
  isRoot: more.isRoot ?? false,
  exists: (path) => more.files?.includes(path) ?? false,
  read: (path) => more.read?.[path] ?? settings[path.replace('/proc/sys/', '')],
});
const open = { 'user/max_user_namespaces': '15000\n' };
const uidMap = 'bwrap: setting up uid map: Permission denied';
const noNamespace =
  'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.';

describe('the way out is named', () => {
  it.each<[string, MachineProbe, words: string, way: string]>([
    [
      'Ubuntu 24.04',
      machine({ ...open, 'kernel/apparmor_restrict_unprivileged_userns': '1\n' }),
      uidMap,
      'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    [
      'Ubuntu 24.04, where the namespace is made but powerless',
      machine({ ...open, 'kernel/apparmor_restrict_unprivileged_userns': '1' }),
      'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
      'sudo apparmor_parser -r /etc/apparmor.d/bwrap',
    ],
    [
      'a kernel that is closed to ordinary users',
      machine({ ...open, 'kernel/unprivileged_userns_clone': '0\n' }),
      noNamespace,
      'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    ],
    [
      'a kernel without user namespaces',
      machine({ 'user/max_user_namespaces': '0\n' }, { isRoot: true }),
      'bwrap: Creating new namespace failed: No space left on device',
      'sudo sysctl -w user.max_user_namespaces=15000',
    ],
    [
      'a machine whose namespaces are used up, as the bubblewrap of Debian 12 says it',
      machine(open),
      'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)',
      'sudo sysctl -w user.max_user_namespaces=15000',
    ],
    [
      'a machine whose settings cannot be read',
      machine({}),
      'bwrap: Creating new namespace failed: No space left on device',
      'sudo sysctl -w user.max_user_namespaces=15000',
    ],
    [
      'a container',
      machine(open, { isRoot: true, files: ['/.dockerenv'] }),
      noNamespace,
      'docker run --security-opt seccomp=unconfined',
    ],
    [
      'a container that covers parts of /proc',
      machine(open, { files: ['/run/.containerenv'] }),
      "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
      '--security-opt systempaths=unconfined',
    ],
    [
      'a pod of Kubernetes',
      machine(open, { isRoot: true, files: ['/var/run/secrets/kubernetes.io'] }),
      'bwrap: Creating new namespace failed: Operation not permitted',
      'securityContext: { seccompProfile: { type: Unconfined }',
    ],
    [
      'WSL 1',
      machine(
        {},
        { read: { '/proc/version': 'Linux version 4.4.0-22621-Microsoft (Microsoft@Microsoft.com)' } },
      ),
      'bwrap: Creating new namespace failed: Invalid argument',
      'wsl --set-version <distribution> 2',
    ],
    [
      'a machine that holds this process in a sandbox of its own',
      machine(open, { read: { '/proc/self/status': 'NoNewPrivs:\t1\nSeccomp:\t2\n' } }),
      noNamespace,
      'held by a system call filter that forbids namespaces',
    ],
    [
      'Debian 10, whose kernel says how',
      machine({ ...open, 'kernel/unprivileged_userns_clone': '0' }),
      `${noNamespace} On e.g. debian this can be enabled with 'sysctl kernel.unprivileged_userns_clone=1'.`,
      'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    ],
    [
      'root, to whom Ubuntu leaves them',
      machine({ 'kernel/apparmor_restrict_unprivileged_userns': '1' }, { isRoot: true }),
      uidMap,
      uidMap,
    ],
    [
      'a container where something else is wrong',
      machine({ 'kernel/unprivileged_userns_clone': '0' }, { files: ['/.dockerenv'] }),
      'bwrap: execvp node: No such file or directory\nmore',
      'bubblewrap does not start: bwrap: execvp node: No such file or directory. Try: bwrap',
    ],
  ])('on %s', (_, probe, words, way) => {
    expect(explainFailure(`${words}\n`, machineFacts(probe))).toContain(way);
  });
});
