import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppError, peerId, slugOf, type PeerId } from '@switchyard/protocol';
import { acquireLock, makeFolderSync, type Random } from '@switchyard/runtime';

/** A daemon's own folder: its name for as long as this process lives, and what must outlive the process. */
export interface PeerFolder {
  readonly peer: PeerId;
  readonly outboxFile: string;
  readonly tokenFile: string;
  /** Its object cache. */
  readonly objects: string;
  /** For what it works on; nobody else's. */
  readonly work: string;
  /** What the agents of its attempts said and did. */
  readonly transcripts: string;
  release(): void;
}

const namesMax = 1_000;

export interface PeerFolderOptions {
  /** Holds one folder a peer. */
  readonly folder: string;
  /** Asked for by name; absent: the first free `<prefix>-N`. */
  readonly name: string | undefined;
  readonly prefix: string;
  readonly role: 'worker' | 'reviewer';
}

/** Takes a peer folder; its lock makes the name unique. Throws AppError E_STATE_LOCKED, E_CONFIG. */
export function takePeerFolder(options: PeerFolderOptions): PeerFolder {
  const names =
    options.name === undefined
      ? Array.from({ length: namesMax }, (_, index) => `${options.prefix}-${index + 1}`)
      : [options.name];
  for (const name of names) {
    const taken = take(options.folder, name);
    if (taken.kind === 'held') return taken.folder;
    if (options.name !== undefined) {
      throw new AppError(
        'E_STATE_LOCKED',
        `process ${taken.pid} is the ${options.role} ${name} already; choose another --name`,
      );
    }
  }
  throw new AppError('E_STATE_LOCKED', `${namesMax} ${options.role}s run on this state folder already`);
}

type Taken = { kind: 'held'; folder: PeerFolder } | { kind: 'taken'; pid: number };

function take(parent: string, name: string): Taken {
  const peer = peerId.safeParse(name);
  if (!peer.success)
    throw new AppError('E_CONFIG', `--name: ${JSON.stringify(name)} may have letters, digits, ".", "_", "-"`);
  const folder = join(parent, name);
  makeFolderSync(folder, 0o700);
  const lock = acquireLock(join(folder, 'lock'));
  if (lock.kind === 'taken') return { kind: 'taken', pid: lock.holder.pid };
  return {
    kind: 'held',
    folder: {
      peer: peer.data,
      outboxFile: join(folder, 'outbox'),
      tokenFile: join(folder, 'token'),
      objects: join(folder, 'objects.git'),
      work: join(folder, 'work'),
      transcripts: join(folder, 'transcripts'),
      release: () => lock.release(),
    },
  };
}

/** A prefix for the names of daemons far from the hub: two machines with one host name must not meet. */
export function remotePrefix(role: PeerFolderOptions['role'], stateFolder: string, random: Random): string {
  const file = join(stateFolder, 'machine');
  try {
    writeFileSync(file, random.token(5), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return `${role}-${slugOf(hostname())}-${readFileSync(file, 'utf8').trim()}`;
}
