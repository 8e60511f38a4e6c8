import { existsSync, mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it; one that is there is fine. Node's own `recursive` answers ENOENT where the disk is
 * full or read-only; this answers what the operating system said.
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(topmostMissing(folder), { mode }).catch(unlessThere);
    await mkdir(folder, { recursive: true, mode });
  }
}

/** The same at once. */
export function makeFolderSync(folder: string, mode = 0o777): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    try {
      mkdirSync(topmostMissing(folder), { mode });
    } catch (reason) {
      unlessThere(reason);
    }
    mkdirSync(folder, { recursive: true, mode });
  }
}

/** Where the operating system refused. */
function topmostMissing(folder: string): string {
  let missing = resolve(folder);
  while (!existsSync(dirname(missing))) missing = dirname(missing);
  return missing;
}

/** Somebody has made it meanwhile, or a link that leads nowhere stands there. */
function unlessThere(reason: unknown): void {
  if (codeOf(reason) !== 'EEXIST') throw reason;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
