import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzerLimits } from './analyzer-limits.ts';

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
    if (stat.size > analyzerLimits.fileBytes) return { kind: 'too-large', bytes: stat.size };
    const bytes = await handle.readFile();
    return bytes.subarray(0, 8192).includes(0)
      ? { kind: 'binary' }
      : { kind: 'text', text: bytes.toString('utf8') };
  } finally {
    await handle.close();
  }
}
