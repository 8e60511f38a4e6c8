import { open, type FileHandle } from 'node:fs/promises';

const chunkBytes = 256 * 1024;
const newline = 0x0a;

/** A place in one log file. */
export interface LogPlace {
  /** The file itself, whatever it is called: rotation renames. */
  readonly identity: string;
  readonly offset: number;
}

/** Where to begin, and what to do with the lines. */
export interface LogStretch {
  /** Where to begin; told the file, because another may have its name by now. */
  readonly from: (file: { readonly identity: string; readonly size: number }) => number;
  readonly onLine: (line: string) => void;
}

/**
 * Reads whole lines to the end of a file, a chunk at a time, so that nobody else waits long. The answer is where its
 * first unread line begins; a line longer than a chunk is told in pieces. Undefined: the file is gone.
 */
export async function readLines(file: string, { from, onLine }: LogStretch): Promise<LogPlace | undefined> {
  const handle = await openIfThere(file);
  if (handle === undefined) return undefined;
  try {
    const { ino, birthtimeMs, size } = await handle.stat();
    const identity = `${ino} ${birthtimeMs}`;
    const offset = await readChunks(handle, { offset: from({ identity, size }), size, onLine });
    return { identity, offset };
  } finally {
    await handle.close();
  }
}

async function readChunks(
  handle: FileHandle,
  { offset, size, onLine }: { offset: number; size: number; onLine: (line: string) => void },
): Promise<number> {
  const buffer = Buffer.alloc(Math.max(0, Math.min(chunkBytes, size - offset)));
  let place = offset;
  while (place < size) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - place), place);
    const isFull = bytesRead === chunkBytes;
    const end = buffer.subarray(0, bytesRead).lastIndexOf(newline) + 1;
    if (bytesRead === 0 || (end === 0 && !isFull)) break; // the rest is half a line
    const taken = end === 0 ? bytesRead : end;
    for (const line of buffer.subarray(0, taken).toString('utf8').split('\n')) if (line !== '') onLine(line);
    place += taken;
  }
  return place;
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined; // rotated away
    throw error;
  }
}
