import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzerLimits } from './analyzer-limits.ts';

/** A file with a NUL byte in so many of its first bytes is binary. */
const headBytes = 8192;

/** A file's text, or why there is none to look at. */
export type SourceText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'too-large'; readonly bytes: number }
  | { readonly kind: 'binary' }
  | { readonly kind: 'not-a-file' };

/** Reads one file of a checkout; never follows a link, never opens a pipe or device, never over the limit. */
export async function readSource(root: string, path: string): Promise<SourceText> {
  let handle;
  try {
    handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // A link, a submodule, a file the sandbox made unreadable, or one that a rename took away.
    if (['ELOOP', 'ENOENT', 'EACCES', 'EISDIR', 'ENXIO', 'ENOTDIR', 'ENAMETOOLONG'].includes(code))
      return { kind: 'not-a-file' };
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return { kind: 'not-a-file' };
    const isTooLarge = stat.size > analyzerLimits.fileBytes;
    const bytes = isTooLarge ? await headOf(handle) : await handle.readFile();
    if (bytes.subarray(0, headBytes).includes(0)) return { kind: 'binary' };
    return isTooLarge
      ? { kind: 'too-large', bytes: stat.size }
      : { kind: 'text', text: bytes.toString('utf8') };
  } finally {
    await handle.close();
  }
}

async function headOf(handle: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  return buffer.subarray(0, bytesRead);
}
