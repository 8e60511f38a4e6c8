/** The door of the attack corpus: one guard made of the path guard, the sandbox and the audit. */
import {
  checkCommand,
  checkLexical,
  findSuspicious,
  findViolations,
  guardedMounts,
  openPathGuard,
  openSandbox,
  takeSnapshot,
  GuardError,
  type AuditEvent,
  type Sandbox,
  type SandboxMount,
} from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { existsSync, realpathSync } from 'node:fs';
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

  const mounts = (): SandboxMount[] => guardedMounts(roots, { denyRead });

  const execute = async (request: { command: string; cwd?: string; timeoutMs?: number }) => {
    const command = checkCommand(request.command);
    const cwd = await guard.checkWorkingDirectory(request.cwd ?? '.');
    const sandbox = await openOrRefuse(policy.bwrapPath, root);
    const before = await takeSnapshot(root);
    const { output, exitCode, ended, truncated } = await sandbox.run({
      argv: ['sh', '-c', command],
      cwd,
      mounts: mounts(),
      env: {},
      network: 'none',
      timeoutMs: timeLimit(request.timeoutMs),
    });
    const events = named(findViolations(before, await takeSnapshot(root), auditPolicy));
    return { output, exitCode, timedOut: ended === 'timed-out', truncated, events };
  };
  const git = async (args: string[]): Promise<{ output: string }> => {
    await refuseHostileRepository(root);
    const sandbox = await openOrRefuse(policy.bwrapPath, root);
    return hostGit(sandbox, { root, args, mounts: mounts() });
  };

  return {
    rootFd: guard.rootDescriptor,
    readFile: async (path: string) => Buffer.from(await guard.readFile(path)).toString('utf8'),
    writeFile: (path: string, content: string) => guard.writeFile(path, content),
    insertContent: (path: string, line: number, content: string) => guard.insertContent(path, line, content),
    applyDiff: (path: string, diff: string) => guard.applyDiff(path, diff),
    listFiles: async (path: string, recursive: boolean) =>
      (await guard.listFiles(path, { recursive })).map((entry) => entry.path),
    searchFiles: (path: string, regex: string) => guard.searchFiles(path, regex),
    stat: (path: string) => guard.stat(path),
    move: (from: string, to: string) => guard.move(from, to),
    remove: (path: string) => guard.remove(path),
    makeDirectory: (path: string) => guard.makeDirectory(path),
    execute,
    git,
    auditNow: async () => named(findSuspicious(await takeSnapshot(root), auditPolicy)),
    close: () => guard.close(),
  };
}

function named(events: readonly AuditEvent[]) {
  return events.map(({ kind, path }) => ({ type: kind, path }));
}

/** The runner takes only a GuardError for a refusal. The daemons name no program; one of the workspace is run by nobody. */
async function openOrRefuse(bwrapPath: string | undefined, root: string): Promise<Sandbox> {
  try {
    if (bwrapPath !== undefined && existsSync(bwrapPath) && realpathSync(bwrapPath).startsWith(`${root}/`))
      throw new Error(`${bwrapPath} lies in the workspace`);
    return await sandboxFor(bwrapPath);
  } catch (error) {
    throw new GuardError('E_SANDBOX_UNAVAILABLE', error instanceof Error ? error.message : String(error), {
      path: bwrapPath ?? 'bwrap',
    });
  }
}

const usualMs = 10_000;

function timeLimit(asked: number | undefined): number {
  return asked !== undefined && asked > 0 ? asked : usualMs;
}

/** Git of a daemon on a tree that it does not trust: after a look at its configuration, with everything off, held. */
async function hostGit(
  sandbox: Sandbox,
  {
    root,
    args,
    mounts,
  }: { readonly root: string; readonly args: readonly string[]; readonly mounts: readonly SandboxMount[] },
): Promise<{ output: string }> {
  const off = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.attributesFile=/dev/null',
    'protocol.allow=never',
    'safe.bareRepository=explicit',
    'submodule.recurse=false',
  ].flatMap((value) => ['-c', value]);
  const { output } = await sandbox.run({
    argv: ['/usr/bin/git', '--git-dir', `${root}/.git`, '--work-tree', root, ...off, ...args],
    cwd: root,
    mounts,
    env: {
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ALLOW_PROTOCOL: 'none',
      GIT_TERMINAL_PROMPT: '0',
    },
    network: 'none',
    timeoutMs: usualMs,
  });
  return { output };
}
