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
import { O_PATH, pathOf } from './descriptor.ts';
import { errnoOf, GuardError } from './guard-error.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** Bytes of a file that may be read or written. */
export const fileBytesMax = 8 * 1024 * 1024;

/** The content behind an O_PATH descriptor of a regular file of this size; files may grow while they are read. */
export function readContent(descriptor: number, size: number, asked: string): Buffer {
  checkSize(size, asked);
  const data = openSync(pathOf(descriptor), O_RDONLY | O_NONBLOCK);
  try {
    const content = Buffer.allocUnsafe(size + 1);
    const count = readSync(data, content, 0, size + 1, null);
    return count === size ? content.subarray(0, count) : readRest(data, content.subarray(0, count), asked);
  } finally {
    closeSync(data);
  }
}

/** A file that is not as long as it was: to its end, wherever that is now. */
function readRest(data: number, start: Buffer, asked: string): Buffer {
  const chunks = [start];
  let total = start.length;
  for (let count = -1; count !== 0; total += count) {
    checkSize(total, asked);
    const chunk = Buffer.allocUnsafe(65_536);
    count = readSync(data, chunk, 0, chunk.length, null);
    chunks.push(chunk.subarray(0, count));
  }
  return Buffer.concat(chunks, total);
}

/** Throws E_TOO_LARGE for more bytes than a file may have. */
export function checkSize(bytes: number, asked: string): void {
  if (bytes > fileBytesMax)
    throw new GuardError('E_TOO_LARGE', `More than ${fileBytesMax} bytes`, { path: asked });
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
  checkSize(content.length, asked);
  const temporary = `/proc/self/fd/${folder}/.switchyard-${randomBytes(12).toString('hex')}`;
  const data = openSync(
    temporary,
    O_WRONLY | O_CREAT | O_EXCL, // which takes no link for nothing
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
