import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, limits } from '@switchyard/protocol';
import { isDiskFull, openStateFolder, sleep, systemClock, unwritableState } from '@switchyard/runtime';
import { errorFromText } from './error-from-text.ts';
import { keptAwake } from './kept-awake.ts';
import { orchestratorCommand } from './orchestrator-command.ts';
import { runningOrchestrator, type OrchestratorFile, type RepositoryState } from './repository-state.ts';

/** An orchestrator that was started for one command. */
export interface EphemeralOrchestrator {
  readonly file: OrchestratorFile;
  /** It goes on without us and ends by itself when its runs have ended. */
  release(): void;
  /** Resolves when its process has gone; ended by force when it takes longer than the time a drain may. */
  ended(): Promise<void>;
  /** What it died of, once it has; nothing where it said nothing. */
  death(): AppError | undefined;
  /** Ends it and all it started, at once. */
  kill(): void;
}

/** What somebody else may have started meanwhile. */
export type EphemeralStart =
  | { readonly kind: 'started'; readonly orchestrator: EphemeralOrchestrator }
  | { readonly kind: 'other'; readonly file: OrchestratorFile };

const pollMs = 30;

/**
 * Starts an orchestrator of our own and waits until it has told its address. It gets a process group of its own, so
 * that ctrl-C reaches us alone and the drain is asked for once. Throws what it died of, or AppError E_SPAWN.
 */
export async function startEphemeral(
  repository: RepositoryState,
  flags: readonly string[],
  how: { env: Readonly<Record<string, string | undefined>>; command?: typeof orchestratorCommand },
): Promise<EphemeralStart> {
  const { workTree } = repository;
  const folder = openStateFolder(repository.folder.root);
  const complaints = join(folder.logs, 'ephemeral-orchestrator.txt');
  const stderr = openComplaints(complaints, folder.root);
  const { program, args } = (how.command ?? orchestratorCommand)([
    '--ephemeral',
    'true',
    '--repository',
    workTree,
    '--state',
    folder.root,
    '--port',
    '0',
    '--log-stdout',
    'false',
    ...flags,
  ]);
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'ignore', stderr],
    env: { ...how.env },
    cwd: workTree,
  });
  closeSync(stderr);
  const gone = exitOf(child);
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const deadline = systemClock.monotonic() + limits.spawnTimeoutMs;
  for (;;) {
    const file = runningOrchestrator(folder);
    if (file !== undefined && file.pid === child.pid)
      return {
        kind: 'started',
        orchestrator: handleOf(child, { file, gone, death: () => causeOf(complaints, folder.root) }),
      };
    if (ended()) {
      if (file !== undefined) return { kind: 'other', file };
      const death = causeOf(complaints, folder.root) ?? atStart(complaints, child);
      // Another one has the lock, and has not told its address yet.
      if (death.code !== 'E_STATE_LOCKED' || systemClock.monotonic() > deadline) throw death;
      await keptAwake(pollMs);
      continue;
    }
    if (systemClock.monotonic() > deadline) {
      killGroup(child);
      throw new AppError(
        'E_SPAWN',
        `the orchestrator did not start within ${limits.spawnTimeoutMs / 1000} s; its log is in ${folder.logs}`,
      );
    }
    await Promise.race([keptAwake(pollMs), gone]);
  }
}

/** What the orchestrator says before it has a log. Throws AppError E_DISK_FULL, E_STORAGE. */
function openComplaints(file: string, root: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (cause) {
    throw unwritableState(root, cause);
  }
}

interface Started {
  readonly file: OrchestratorFile;
  readonly gone: Promise<void>;
  readonly death: () => AppError | undefined;
}

function handleOf(child: ChildProcess, { file, gone, death }: Started): EphemeralOrchestrator {
  return {
    file,
    death,
    release: () => child.unref(),
    kill: () => killGroup(child),
    ended: async () => {
      const late = sleep(systemClock, limits.drainMs + 1_000).then(() => 'late' as const);
      const awake = setInterval(() => undefined, 1_000);
      if ((await Promise.race([gone, late])) === 'late') killGroup(child);
      await gone;
      clearInterval(awake);
      // What it started may not outlive it.
      killGroup(child);
    },
  };
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // No such group: everything has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What it said at its end; on a full disk it could not say anything. */
function causeOf(complaints: string, root: string): AppError | undefined {
  // Whoever took the state folder away took its last words along.
  if (!existsSync(complaints)) return undefined;
  const text = readFileSync(complaints, 'utf8').trim();
  if (text !== '') return errorFromText(text);
  if (!isDiskFull(root)) return undefined;
  return unwritableState(root, Object.assign(new Error('no space left on the device'), { code: 'ENOSPC' }));
}

function atStart(complaints: string, child: ChildProcess): AppError {
  const text = readFileSync(complaints, 'utf8').trim();
  const how = child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
  const said = text === '' ? 'it said nothing' : text.slice(-2_000);
  return new AppError('E_SPAWN', `the orchestrator ended at its start (${how}): ${said}`);
}
