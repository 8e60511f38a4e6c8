import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AppError, messageOf, slugOf } from '@switchyard/protocol';
import { makeFolderSync } from './make-folder.ts';
import { machineTrouble } from './machine-trouble.ts';

/** Places of one repository's state; all outside the repository (DESIGN.md section 4). */
export interface StateFolder {
  readonly root: string;
  /** Process, address and version of the running orchestrator; only its owner can read it. */
  readonly orchestratorFile: string;
  /** Held by the orchestrator as long as it lives. */
  readonly lockFile: string;
  /** Of which repository it is. */
  readonly projectFile: string;
  /** The operator's token; only its owner can read it. */
  readonly tokenFile: string;
  /** The token of those who may only look. */
  readonly observerTokenFile: string;
  readonly journalFile: string;
  /** Tables for people to query; made from the journal. */
  readonly projectionsFile: string;
  /** The orchestrator's private bare repository. */
  readonly gitDir: string;
  readonly logs: string;
  readonly runs: string;
  readonly layers: string;
  readonly tls: string;
  /** One folder a worker or reviewer of this machine: outbox, attempts, its object cache. */
  readonly peers: string;
  /** Disposable checkouts of the orchestrator (verification, apply). */
  readonly checkouts: string;
}

/** The user's state folder: `SWITCHYARD_STATE`, else `XDG_STATE_HOME/switchyard`, else `~/.local/state/switchyard`. */
export function stateRoot(env: Readonly<Record<string, string | undefined>>): string {
  if (env['SWITCHYARD_STATE']) return env['SWITCHYARD_STATE'];
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'switchyard');
  return join(homedir(), '.local', 'state', 'switchyard');
}

/** Names the folder of a repository by its git directory (shared by all its linked worktrees). */
export function repositoryStateRoot(root: string, gitCommonDir: string): string {
  const real = realpathSync(gitCommonDir);
  const name = slugOf(basename(real) === '.git' ? basename(dirname(real)) : basename(real, '.git'));
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 12);
  return join(root, 'repositories', `${name}-${digest}`);
}

/** Where everything lies in a state folder; nothing is looked at or made. */
export function layOutStateFolder(root: string): StateFolder {
  return {
    root,
    orchestratorFile: join(root, 'orchestrator.json'),
    lockFile: join(root, 'orchestrator.lock'),
    projectFile: join(root, 'project.json'),
    tokenFile: join(root, 'token'),
    observerTokenFile: join(root, 'observer-token'),
    journalFile: join(root, 'journal.db'),
    projectionsFile: join(root, 'projections.db'),
    gitDir: join(root, 'repository.git'),
    logs: join(root, 'logs'),
    runs: join(root, 'runs'),
    layers: join(root, 'layers'),
    tls: join(root, 'tls'),
    peers: join(root, 'peers'),
    checkouts: join(root, 'checkouts'),
  };
}

/** Lays the folder out; makes what is missing, readable by its owner only. Throws AppError E_STATE_FOREIGN, E_STORAGE. */
export function openStateFolder(root: string): StateFolder {
  const folder = layOutStateFolder(root);
  writeState(root, () => {
    makeFolderSync(root, 0o700);
    requireOwner(root);
    for (const part of [folder.logs, folder.runs, folder.layers, folder.peers, folder.checkouts]) {
      makeFolderSync(part, 0o700);
    }
  });
  return folder;
}

/** Does work that writes into a state folder. Throws AppError E_DISK_FULL, E_STORAGE where that cannot be done. */
export function writeState<T>(root: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw unwritableState(root, cause);
  }
}

/** A state folder in which no file can be made or written: read-only, or full; a read-only disk stops root as well. */
export function unwritableState(root: string, cause: unknown): AppError {
  const isFull = machineTrouble(cause)?.code === 'E_DISK_FULL';
  const mend = isFull ? 'make room there' : 'make it writable';
  return new AppError(
    isFull ? 'E_DISK_FULL' : 'E_STORAGE',
    `the state folder ${root} cannot be written: ${messageOf(cause)}; ${mend}, or set SWITCHYARD_STATE to a folder elsewhere`,
    { cause },
  );
}

/**
 * Throws AppError E_STATE_FOREIGN for a folder that is there and another user's, E_STORAGE where that cannot be told.
 */
export function requireOwner(root: string): void {
  const uid = process.getuid?.();
  const owner = ownerOf(root);
  if (uid === undefined || owner === undefined || owner === uid) return;
  throw new AppError(
    'E_STATE_FOREIGN',
    `the state folder ${root} belongs to user ${owner}, not to you (${uid}); set SWITCHYARD_STATE to a folder of your own`,
  );
}

/** Undefined: there is no such folder. */
function ownerOf(root: string): number | undefined {
  try {
    return statSync(root, { throwIfNoEntry: false })?.uid;
  } catch (cause) {
    throw new AppError(
      'E_STORAGE',
      `the state folder ${root} cannot be looked at: ${messageOf(cause)}; set SWITCHYARD_STATE to a folder of your own`,
      { cause },
    );
  }
}
