import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AppError, slugOf } from '@switchyard/protocol';

/** Places of one repository's state; all outside the repository (DESIGN.md section 4). */
export interface StateFolder {
  readonly root: string;
  /** Process, address and version of the running orchestrator; only its owner can read it. */
  readonly orchestratorFile: string;
  /** The operator's token; only its owner can read it. */
  readonly tokenFile: string;
  readonly journalFile: string;
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

/** Lays the folder out; makes what is missing, readable by its owner only. Throws AppError E_STATE_FOREIGN, E_STORAGE. */
export function openStateFolder(root: string): StateFolder {
  const folder: StateFolder = {
    root,
    orchestratorFile: join(root, 'orchestrator.json'),
    tokenFile: join(root, 'token'),
    journalFile: join(root, 'journal.db'),
    gitDir: join(root, 'repository.git'),
    logs: join(root, 'logs'),
    runs: join(root, 'runs'),
    layers: join(root, 'layers'),
    tls: join(root, 'tls'),
    peers: join(root, 'peers'),
    checkouts: join(root, 'checkouts'),
  };
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    requireOwner(root);
    for (const part of [folder.logs, folder.runs, folder.layers, folder.peers, folder.checkouts]) {
      mkdirSync(part, { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('E_STORAGE', `the state folder ${root} cannot be made: ${(cause as Error).message}`, {
      cause,
    });
  }
  return folder;
}

function requireOwner(root: string): void {
  const uid = process.getuid?.();
  const owner = statSync(root).uid;
  if (uid !== undefined && owner !== uid) {
    throw new AppError(
      'E_STATE_FOREIGN',
      `the state folder ${root} belongs to user ${owner}, not to you (${uid}); set SWITCHYARD_STATE to a folder of your own`,
    );
  }
}
