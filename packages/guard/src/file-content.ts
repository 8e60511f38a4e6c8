/** Reading and replacing the content of files that are held by descriptors. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { O_PATH } from './descriptor.ts';
import { errnoOf, GuardError } from './guard-error.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** Bytes of a file that may be read or written. */
export const fileBytesMax = 8 * 1024 * 1024;

/** The content behind an O_PATH descriptor of a regular file; files may grow while they are read. */
export function readContent(descriptor: number, asked: string): Buffer {
  const size = fstatSync(descriptor).size;
  if (size > fileBytesMax) throw tooLarge(asked);
  const data = openSync(`/proc/self/fd/${descriptor}`, O_RDONLY | O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    for (let room = Math.min(size, fileBytesMax) + 1; ; room = 65_536) {
      const chunk = Buffer.allocUnsafe(room);
      const count = readSync(data, chunk, 0, room, null);
      if (count === 0) return Buffer.concat(chunks, total);
      chunks.push(chunk.subarray(0, count));
      total += count;
      if (total > fileBytesMax) throw tooLarge(asked);
    }
  } finally {
    closeSync(data);
  }
}

function tooLarge(path: string): GuardError {
  return new GuardError('E_TOO_LARGE', `More than ${fileBytesMax} bytes`, { path });
}

export interface Replacement {
  /** O_PATH descriptor of the folder. */
  readonly folder: number;
  readonly name: string;
  readonly content: Uint8Array;
  /** Of the file that is replaced: its mode and owner are kept. */
  readonly before?: { readonly mode: number; readonly uid: number; readonly gid: number };
  readonly asked: string;
}

/** A new file under a name nobody can guess, then renamed over the old: other names of the old file keep it. */
export function replaceContent(replacement: Replacement): void {
  const { folder, name, content, before, asked } = replacement;
  if (content.length > fileBytesMax) throw tooLarge(asked);
  const temporary = `/proc/self/fd/${folder}/.switchyard-${randomBytes(12).toString('hex')}`;
  const data = openSync(
    temporary,
    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
    before === undefined ? 0o666 : 0o600,
  );
  try {
    writeFileSync(data, content);
    if (before !== undefined) keepAttributes(data, before);
    renameSync(temporary, `/proc/self/fd/${folder}/${name}`);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  } finally {
    closeSync(data);
  }
}

/** Set-uid bits are not kept: the content is another now. */
function keepAttributes(data: number, before: NonNullable<Replacement['before']>): void {
  const now = fstatSync(data);
  if (now.uid !== before.uid || now.gid !== before.gid) fchownSync(data, before.uid, before.gid);
  fchmodSync(data, before.mode & 0o777);
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Goes down one name at a time below a pinned folder, making what is missing; gives the last folder's descriptor. */
export function makeFolders(from: number, names: readonly string[]): number {
  let at = openSync(`/proc/self/fd/${from}`, O_PATH | O_DIRECTORY);
  for (const name of names) {
    try {
      const next = makeFolder(at, name);
      closeSync(at);
      at = next;
    } catch (error) {
      closeSync(at);
      throw error;
    }
  }
  return at;
}

function makeFolder(parent: number, name: string): number {
  const path = `/proc/self/fd/${parent}/${name}`;
  try {
    mkdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}
