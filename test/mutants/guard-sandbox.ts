import type { Mutant } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;

/** An option of bubblewrap that is not given. Most have another defence behind them: the test looks at the list. */
const withoutOption = (option: string): Mutant => ({
  name: `bubblewrap is not told ${option}`,
  file: `${source}/bubblewrap-arguments.ts`,
  search: `${option} --`,
  replacement: '--',
  tests: [test('bubblewrap')],
});

/** A group of system calls that the filter lets pass, by one of each, on both kinds of machine. */
const withoutCalls = (...names: string[]): Mutant[] =>
  names.map((name) => ({
    name: `the filter lets ${name} pass`,
    file: `${source}/seccomp.ts`,
    search: 'for (const number of Object.values(table.refused)) program',
    replacement: `for (const [name, number] of Object.entries(table.refused)) if (name !== '${name}') program`,
    tests: [test('seccomp')],
  }));

const scanRoom = ['apps/reviewer/test/scan-room.test.ts'];

const ownGit = 'packages/repo/src/git-environment.ts';
const toldGit = ['packages/repo/test/told-git.test.ts'];

/** A setting that overrides what a repository's configuration says. */
const withoutSetting = (setting: string): Mutant => ({
  name: `our git is not told ${setting}`,
  file: ownGit,
  search: `  '${setting}',\n`,
  replacement: '',
  tests: toldGit,
});

const withoutVariable = (name: string, value: string): Mutant => ({
  name: `our git has no ${name}`,
  file: ownGit,
  search: `${name}: '${value}',`,
  replacement: '',
  tests: toldGit,
});

/** The defences of the process sandbox, and of git as a code path. */
export const guardSandbox: readonly Mutant[] = [
  {
    name: 'commands share the network of the machine',
    file: `${source}/bubblewrap-arguments.ts`,
    search: '--unshare-user --unshare-all --disable-userns',
    replacement: '--unshare-user --unshare-all --share-net --disable-userns',
    tests: [test('sandbox')],
  },
  {
    name: 'commands share the processes of the machine',
    file: `${source}/bubblewrap-arguments.ts`,
    search: '--unshare-user --unshare-all --disable-userns',
    replacement: '--unshare-user --unshare-ipc --unshare-net --unshare-uts --disable-userns',
    tests: [test('sandbox')],
  },
  {
    name: 'capabilities stay',
    file: `${source}/bubblewrap-arguments.ts`,
    search: '--cap-drop ALL',
    replacement: '--cap-add CAP_CHOWN',
    tests: [test('sandbox')],
  },
  {
    name: 'no system call filter',
    file: `${source}/bubblewrap-arguments.ts`,
    search: "    '--seccomp',\n    String(handed.file('seccomp')),\n",
    replacement: '',
    tests: [test('sandbox')],
  },
  {
    name: 'sockets of every family',
    file: `${source}/seccomp.ts`,
    search: '[RETURN, 0, 0, EAFNOSUPPORT]',
    replacement: '[RETURN, 0, 0, ALLOW]',
    tests: [test('sandbox'), test('channels')],
  },
  {
    name: 'the root folder can be written',
    file: `${source}/bubblewrap-arguments.ts`,
    search: "    '--remount-ro',\n    '/',\n",
    replacement: '',
    tests: [test('sandbox')],
  },
  {
    name: '/proc can be written',
    file: `${source}/bubblewrap-arguments.ts`,
    search: '--proc /proc --remount-ro /proc',
    replacement: '--proc /proc',
    tests: [test('sandbox')],
  },
  {
    name: '/dev can be written',
    file: `${source}/bubblewrap-arguments.ts`,
    search: ", '--remount-ro', '/dev']",
    replacement: ']',
    tests: [test('sandbox')],
  },
  {
    name: 'private folders of any size',
    file: `${source}/bubblewrap-arguments.ts`,
    search: 'const sized = `--size ${tmpBytes} --perms`;',
    replacement: 'const sized = `--perms`; void tmpBytes;',
    tests: [test('sandbox-limits')],
  },
  {
    name: 'read mounts can be written',
    file: `${source}/bubblewrap-arguments.ts`,
    search: "mount.write ? '--bind' : '--ro-bind'",
    replacement: "'--bind'",
    tests: [test('sandbox')],
  },
  {
    name: 'the input is the one that was opened outside',
    file: `${source}/process-limits.ts`,
    search: "streams.input ? [] : ['</dev/null']",
    replacement: '[]',
    tests: [test('sandbox')],
  },
  {
    name: 'files of any size',
    file: `${source}/process-limits.ts`,
    search: 'fileBytes: Math.min(asked?.fileBytes ?? defaultLimits.fileBytes, most.fileBytes)',
    replacement: 'fileBytes: most.fileBytes',
    tests: [test('sandbox-limits')],
  },
  {
    name: 'no self-test',
    file: `${source}/sandbox.ts`,
    search: 'await selfTest(sandbox, folder);',
    replacement: 'await Promise.resolve(selfTest);',
    tests: [test('unavailable')],
  },
  {
    name: 'the wall clock ends nothing',
    file: `${source}/process-life.ts`,
    search: 'end = { ended, reason };\n    supervised.killTree();',
    replacement: 'end = { ended, reason };',
    tests: [test('parts-fail')],
  },
  {
    name: 'names of the list may lead to private addresses',
    file: `${source}/egress-proxy.ts`,
    search: 'rule.mayBePrivate || !isPrivateAddress(each)',
    replacement: 'isPrivateAddress(each) || true',
    tests: [test('network')],
  },
  {
    name: "our git runs the user's hooks",
    file: 'packages/repo/src/git-environment.ts',
    search: "  'core.hooksPath=/dev/null',\n",
    replacement: '',
    tests: ['packages/repo/test/hostile-user.test.ts'],
  },
  {
    name: "apply runs the user's hooks",
    file: 'packages/repo/src/apply-checkout.ts',
    search: "  'core.hooksPath=/dev/null',\n",
    replacement: '',
    tests: ['packages/repo/test/hostile-user.test.ts'],
  },
  {
    name: "apply runs the user's file monitor",
    file: 'packages/repo/src/apply-checkout.ts',
    search: "  'core.fsmonitor=false',\n",
    replacement: '',
    tests: ['packages/repo/test/hostile-user.test.ts'],
  },
  {
    name: 'a base may hold what git takes for its own',
    file: 'packages/repo/src/base-check.ts',
    search: ' || isGitPath(path)',
    replacement: '',
    tests: ['packages/repo/test/hostile-base.test.ts'],
  },
  ...['--disable-userns', '--die-with-parent', '--new-session', '--clearenv'].map(withoutOption),
  {
    name: 'bubblewrap itself has the environment of the daemon',
    file: `${source}/bubblewrap-start.ts`,
    search: 'env: {},',
    replacement: 'env: process.env,',
    tests: [test('bubblewrap')],
  },
  {
    name: 'what a command is given stands in process lists',
    file: `${source}/bubblewrap-start.ts`,
    search: "      '--args',\n      String(ARGUMENTS_FD),\n",
    replacement: '      ...options,\n',
    tests: [test('bubblewrap')],
  },
  ...withoutCalls(
    'ptrace',
    'mount',
    'unshare',
    'open_by_handle_at',
    'bpf',
    'io_uring_setup',
    'keyctl',
    'syslog',
  ),
  {
    name: 'system calls of another architecture',
    file: `${source}/seccomp.ts`,
    search: '[RETURN, 0, 0, KILL_PROCESS]',
    replacement: '[RETURN, 0, 0, ALLOW]',
    tests: [test('seccomp')],
  },
  {
    name: 'system calls of another convention',
    file: `${source}/seccomp.ts`,
    search: 'if (table.otherAbiFrom > 0)',
    replacement: 'if (table.otherAbiFrom < 0)',
    tests: [test('seccomp')],
  },
  {
    name: 'a process with users of its own',
    file: `${source}/seccomp.ts`,
    search: 'answerIf(JUMP_ANY_BIT, CLONE_NEWUSER, EPERM)',
    replacement: 'answerIf(JUMP_ANY_BIT, CLONE_NEWUSER, ALLOW)',
    tests: [test('seccomp')],
  },
  {
    name: 'clone3, whose flags nobody sees',
    file: `${source}/seccomp.ts`,
    search: 'answerIf(JUMP_EQUAL, table.clone3, ENOSYS)',
    replacement: 'answerIf(JUMP_EQUAL, table.clone3, ALLOW)',
    tests: [test('seccomp')],
  },
  ...['TIOCSTI', 'TIOCLINUX'].map((name): Mutant => ({
    name: `the filter lets ${name} pass`,
    file: `${source}/seccomp.ts`,
    search: `answerIf(JUMP_EQUAL, ${name}, EPERM)`,
    replacement: `answerIf(JUMP_EQUAL, ${name}, ALLOW)`,
    tests: [test('seccomp')],
  })),
  {
    name: 'pairs of sockets of every family',
    file: `${source}/seccomp.ts`,
    search: '[table.socket, table.socketpair]',
    replacement: '[table.socket]',
    tests: [test('seccomp')],
  },
  ...[
    ['privileges can be gained', "['privileges can be gained', /^NoNewPrivs:\\s*1$/m],"],
    ['no filter', "['no system call filter is in force', /^Seccomp:\\s*2$/m],"],
    ['capabilities', "['capabilities are left', /^CapEff:\\s*0+$/m],"],
  ].map(([what = '', search = '']): Mutant => ({
    name: `the self-test does not see: ${what}`,
    file: `${source}/self-test.ts`,
    search,
    replacement: '',
    tests: [test('unavailable')],
  })),
  {
    name: 'the self-test does not see: shared namespaces',
    file: `${source}/self-test.ts`,
    search: 'if (answers.namespaces[name] === readlinkSync(`/proc/self/ns/${name}`))',
    replacement:
      'if (answers.namespaces[name] === readlinkSync(`/proc/self/ns/${name}`) && failures.length < 0)',
    tests: [test('unavailable')],
  },
  {
    name: 'the self-test does not see: missing limits',
    file: `${source}/self-test.ts`,
    search: 'if (value > defaultLimits[name as keyof ProcessLimits])',
    replacement: 'if (value < defaultLimits[name as keyof ProcessLimits])',
    tests: [test('unavailable')],
  },
  {
    name: 'the self-test takes whatever a command could do',
    file: `${source}/self-test.ts`,
    search: 'answers.did.map((deed) => `a command could ${deed}`)',
    replacement: 'answers.did.slice(99)',
    tests: [test('unavailable')],
  },
  {
    name: 'mount points below planted links (CVE-2026-87766)',
    file: `${source}/pinned-mounts.ts`,
    search: 'if (!stat.isSymbolicLink() && !misplaced) return opened;',
    replacement: 'if (!misplaced || stat.isSymbolicLink()) return opened;',
    tests: [test('sandbox')],
  },
  {
    name: 'mount sources behind planted links',
    file: `${source}/pinned-mounts.ts`,
    search: 'if (readlinkSync(`/proc/self/fd/${descriptor}`) !== expected)',
    replacement: 'if (expected === undefined)',
    tests: [test('sandbox')],
  },
  {
    name: 'a command that bubblewrap did not start counts as run',
    file: `${source}/bubblewrap-sandbox.ts`,
    search: "if (result.ended === 'exited' && !status.hasExitCode)\n",
    replacement: "if (result.ended === 'killed' && !status.hasExitCode)\n",
    tests: [test('sandbox'), test('unavailable')],
  },
  {
    name: 'what parses the files of strangers sees files of the machine',
    file: 'packages/analyzers/src/sandboxed-scan.ts',
    search: 'mounts: readPaths.map(',
    replacement: "mounts: [...readPaths, '/tmp'].map(",
    tests: scanRoom,
  },
  {
    name: 'what parses the files of strangers answers without end',
    file: 'packages/analyzers/src/scan-child.ts',
    search: 'if (this.held > analyzerLimits.scanAnswerChars) {',
    replacement: 'if (this.held < 0) {',
    tests: scanRoom,
  },
  {
    name: 'a file under review answers for other reviews',
    file: 'packages/analyzers/src/scanner.ts',
    search: "options.isShared === true ? '' : job.root",
    replacement: "''",
    tests: scanRoom,
  },
  {
    name: 'programs of version managers can be written',
    file: `${source}/system-mounts.ts`,
    search: "return existsSync(path) ? ['--ro-bind', path, path] : [];",
    replacement: "return existsSync(path) ? ['--bind', path, path] : [];",
    tests: [test('toolchains')],
  },
  {
    name: 'secrets beside the programs of a version manager',
    file: `${source}/version-managers.ts`,
    search: "folders: ['.cargo/bin', '.rustup/toolchains'],",
    replacement: "folders: ['.cargo', '.rustup/toolchains'],",
    tests: [test('toolchains')],
  },
  {
    name: 'all that mise is told',
    file: `${source}/tool-versions.ts`,
    search: "/^\\[tools\\]\\s*$(.*?)(?=^\\[|(?![^]))/ms.exec(text)?.[1] ?? ''",
    replacement: 'text',
    tests: [test('toolchains')],
  },
  ...[
    'core.attributesFile=/dev/null',
    'core.excludesFile=/dev/null',
    'core.fsmonitor=false',
    'core.untrackedCache=false',
    'core.alternateRefsCommand=true',
    'core.sshCommand=false',
    'core.askPass=false',
    'core.pager=cat',
    'credential.helper=',
    'gc.auto=0',
    'maintenance.auto=false',
    'gpg.program=false',
    'protocol.allow=never',
    'submodule.recurse=false',
  ].map(withoutSetting),
  ...Object.entries({
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: '/dev/null/grafts',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_EDITOR: 'false',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
  }).map(([name, value]) => withoutVariable(name, value)),
];
