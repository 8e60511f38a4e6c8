/** What a tree holds, entry by entry, as the proof of what a command changed. */
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readlinkSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { O_PATH } from './descriptor.ts';
import { walkTree, type EntryKind } from './tree-walk.ts';

export interface SnapshotEntry {
  readonly kind: EntryKind;
  readonly inode: number;
  readonly size: number;
  /** Seconds with fractions, as text: they are only compared. */
  readonly modified: string;
  readonly changed: string;
  /** Permission bits. */
  readonly mode: number;
  readonly links: number;
  /** Of a link: where it leads. */
  readonly target: string | undefined;
}

export interface Snapshot {
  /** The kernel's name of the root. */
  readonly root: string;
  readonly entries: ReadonlyMap<string, SnapshotEntry>;
}

export interface SnapshotOptions {
  /** Paths below the root that are left out with all that is in them: layers, scratch places. */
  readonly exclude?: readonly string[];
}

const gnuFind = '/usr/bin/find';
const format = '%P\\0%y\\0%i\\0%s\\0%T@\\0%C@\\0%m\\0%n\\0%l\\0';
const fieldsPerEntry = 9;

/** Takes a snapshot without following a link. Throws E_IO when the root cannot be read. */
export async function takeSnapshot(root: string, options: SnapshotOptions = {}): Promise<Snapshot> {
  let descriptor: number;
  try {
    descriptor = openSync(root, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw new AppError('E_IO', `The folder ${root} cannot be opened`, { cause: error });
  }
  try {
    const path = readlinkSync(`/proc/self/fd/${descriptor}`);
    const exclude = new Set(options.exclude ?? []);
    const entries = existsSync(gnuFind) ? await byFind(descriptor, exclude) : byWalk(descriptor, exclude);
    return { root: path, entries };
  } finally {
    closeSync(descriptor);
  }
}

/** `find` is four times as fast as asking for each entry from here. */
async function byFind(descriptor: number, exclude: ReadonlySet<string>): Promise<Map<string, SnapshotEntry>> {
  const prune = [...exclude].flatMap((path) => ['-path', `./${escapeGlob(path)}`, '-prune', '-o']);
  const child = spawn(gnuFind, ['.', '-mindepth', '1', ...prune, '-printf', format], {
    cwd: `/proc/self/fd/${descriptor}`,
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new AppError('E_IO', 'find could not be started', { cause: error })),
    );
    child.once('close', () => resolve()); // a failure is a folder that vanished meanwhile, or may not be read
  });
  return parse(Buffer.concat(chunks).toString('utf8'));
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&');
}

const kinds: Readonly<Record<string, EntryKind>> = { f: 'file', d: 'folder', l: 'link' };

function parse(text: string): Map<string, SnapshotEntry> {
  const entries = new Map<string, SnapshotEntry>();
  const fields = text.split('\0');
  for (let at = 0; at + fieldsPerEntry <= fields.length; at += fieldsPerEntry) {
    const [path = '', type = '', inode, size, modified = '', changed = '', mode = '', links, target = ''] =
      fields.slice(at, at + fieldsPerEntry);
    entries.set(path, {
      kind: kinds[type] ?? 'other',
      inode: Number(inode),
      size: Number(size),
      modified,
      changed,
      mode: parseInt(mode, 8),
      links: Number(links),
      target: type === 'l' ? target : undefined,
    });
  }
  return entries;
}

function byWalk(descriptor: number, exclude: ReadonlySet<string>): Map<string, SnapshotEntry> {
  const entries = new Map<string, SnapshotEntry>();
  walkTree(descriptor, {
    recursive: true,
    visit: ({ relative, kind, stat }) => {
      if (exclude.has(relative)) return false;
      entries.set(relative, {
        kind,
        inode: stat.ino,
        size: stat.size,
        modified: String(stat.mtimeMs / 1000),
        changed: String(stat.ctimeMs / 1000),
        mode: stat.mode & 0o7777,
        links: stat.nlink,
        target: kind === 'link' ? readLink(descriptor, relative) : undefined,
      });
      return true;
    },
  });
  return entries;
}

function readLink(root: number, relative: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${root}/${relative}`);
  } catch {
    return ''; // replaced meanwhile: the next snapshot sees it
  }
}
