import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the folder of a self-test is called in the temporary folder, before six letters at random. */
export const selfTestPrefix = 'switchyard-self-test-';

/** A self-test takes seconds; nobody is in one that has not changed for so long, however long a machine slept. */
const staleMs = 24 * 60 * 60_000;

/**
 * Takes away what starts that were killed in their self-test left in the temporary folder: folders of this user's, and
 * nothing behind a link. Others may do so at the same time; what cannot be taken away is left to whoever cleans there.
 */
export function removeStaleFolders(now: number): void {
  const root = tmpdir();
  for (const path of stalePaths(root, now)) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
}

function stalePaths(root: string, now: number): string[] {
  try {
    return readdirSync(root)
      .filter((name) => name.startsWith(selfTestPrefix) && name.length === selfTestPrefix.length + 6)
      .map((name) => join(root, name))
      .filter((path) => isStale(path, now));
  } catch (error) {
    // A temporary folder that cannot be read is told by whoever makes a folder in it.
    if (!isSystemError(error)) throw error;
    return [];
  }
}

function isStale(path: string, now: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return (
    found !== undefined &&
    found.isDirectory() &&
    found.uid === process.getuid?.() &&
    now - found.mtimeMs > staleMs
  );
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
