/** The door of the attack corpus: one guard made of the path guard, the sandbox and the audit. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  applySearchReplace,
  checkLexical,
  findSuspicious,
  findViolations,
  insertLines,
  openPathGuard,
  openSandbox,
  protectiveMounts,
  takeSnapshot,
  GuardError,
  type AuditEvent,
  type Sandbox,
  type SandboxMount,
} from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { refuseHostileRepository } from './hostile-repository.ts';

export { checkLexical };

interface Policy {
  readonly root: string;
  readonly read: readonly string[];
  readonly denyRead: readonly string[];
  readonly bwrapPath?: string;
}

const sandboxes = new Map<string, Promise<Sandbox>>();

/** One sandbox for all guards with the same program: it holds no state of a case. */
function sandboxFor(bwrapPath: string | undefined): Promise<Sandbox> {
  const key = bwrapPath ?? '';
  const known = sandboxes.get(key);
  if (known !== undefined) return known;
  const options = { mode: 'auto' as const, logger: silentLogger(), clock: systemClock };
  const opened = openSandbox(bwrapPath === undefined ? options : { ...options, bwrapPath });
  sandboxes.set(key, opened);
  return opened;
}

export async function openGuard(policy: Policy) {
  const { denyRead } = policy;
  const roots = [{ path: policy.root, write: true }, ...policy.read.map((path) => ({ path, write: false }))];
  const guard = openPathGuard({ roots, denyRead });
  const readable = guard.roots.slice(1).map((root) => root.path);
  const auditPolicy = { denyRead, readable };
  const root = guard.roots[0]?.path ?? policy.root;

  const execute = async (request: { command: string; cwd?: string; timeoutMs?: number }) => {
    const cwd = request.cwd === undefined ? root : await guard.checkWorkingDirectory(request.cwd);
    const sandbox = await openOrRefuse(policy.bwrapPath);
    const mounts: SandboxMount[] = [
      ...readable.map((source) => ({ kind: 'read' as const, source })),
      { kind: 'write', source: root },
      ...protectiveMounts(root, { denyRead }),
    ];
    const before = await takeSnapshot(root);
    const { output, exitCode, ended, truncated } = await sandbox.run({
      argv: ['sh', '-c', request.command],
      cwd,
      mounts,
      env: {},
      network: 'none',
      timeoutMs: request.timeoutMs ?? 10_000,
    });
    const events = named(findViolations(before, await takeSnapshot(root), auditPolicy));
    return { output, exitCode, timedOut: ended === 'timed-out', truncated, events };
  };

  return {
    rootFd: guard.rootDescriptor,
    readFile: async (path: string) => Buffer.from(await guard.readFile(path)).toString('utf8'),
    writeFile: (path: string, content: string) => guard.writeFile(path, content),
    insertContent: (path: string, line: number, content: string) =>
      guard.editFile(path, (text) => insertLines(text, line, content)),
    applyDiff: (path: string, diff: string) =>
      guard.editFile(path, (text) => applySearchReplace(text, diff, path)),
    listFiles: async (path: string, recursive: boolean) =>
      (await guard.list(path, { recursive })).map((entry) => entry.path),
    searchFiles: (path: string, regex: string) => guard.search(path, regex),
    execute,
    git: (args: string[]) => hostGit(root, args),
    auditNow: async () => named(findSuspicious(await takeSnapshot(root), auditPolicy)),
    close: () => guard.close(),
  };
}

function named(events: readonly AuditEvent[]) {
  return events.map(({ kind, path }) => ({ type: kind, path }));
}

/** The runner takes only a GuardError for a refusal. */
async function openOrRefuse(bwrapPath: string | undefined): Promise<Sandbox> {
  try {
    return await sandboxFor(bwrapPath);
  } catch (error) {
    throw new GuardError('E_SANDBOX_UNAVAILABLE', error instanceof Error ? error.message : String(error), {
      path: bwrapPath ?? 'bwrap',
    });
  }
}

/** As a daemon would run git on a tree it does not trust: after a look at its configuration, with everything off. */
async function hostGit(root: string, args: string[]): Promise<{ output: string }> {
  await refuseHostileRepository(root);
  const off = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.attributesFile=/dev/null',
    'protocol.allow=never',
  ];
  const options = [...off, 'safe.bareRepository=explicit', 'submodule.recurse=false'].flatMap((value) => [
    '-c',
    value,
  ]);
  try {
    const { stdout, stderr } = await promisify(execFile)(
      '/usr/bin/git',
      ['--git-dir', `${root}/.git`, '--work-tree', root, ...options, ...args],
      {
        cwd: root,
        env: {
          PATH: '/usr/bin:/bin',
          HOME: '/nonexistent',
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_ALLOW_PROTOCOL: 'none',
        },
      },
    );
    return { output: `${stdout}${stderr}` };
  } catch (error) {
    return { output: error instanceof Error ? error.message : String(error) };
  }
}
