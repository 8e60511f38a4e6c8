import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';

/** What stands at a path, links not followed; nothing where nothing does. Rejects with the system's error for the rest. */
export async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
