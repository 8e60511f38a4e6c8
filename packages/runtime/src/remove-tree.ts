import { chmod, mkdtemp, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What `rm` ends at where commands closed folders, nested them deeper than a path is long, or were just now killed. */
const obstacles: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ENAMETOOLONG', 'ENOTEMPTY']);

/**
 * Removes a folder that commands may have filled and none uses any more, also where they took away the permission to
 * look into folders or to change them, or nested them deeper than any path may be long. Links are removed, never
 * followed. What is not there is fine; rejects with the system's error for what cannot be removed.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!obstacles.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await takeApart(folder);
  }
}

/**
 * Moves every folder up to where its path is short, and there empties it in the same way. The `rm` that gave up may
 * still be removing what it had begun with, so that anything may be gone already.
 */
async function takeApart(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  const aside = await mkdtemp(join(folder, '.removed-'));
  let moved = 0;
  const left: string[] = [];
  const empty = async (from: string): Promise<void> => {
    for (const entry of await readdir(from, { withFileTypes: true, encoding: 'buffer' })) {
      const path = Buffer.concat([Buffer.from(`${from}/`), entry.name]);
      if (path.equals(Buffer.from(aside))) continue;
      if (!entry.isDirectory()) {
        await unlessGone(unlink(path));
        continue;
      }
      const place = join(aside, String((moved += 1)));
      // A folder is moved by who may write to it.
      if (await unlessGone(chmod(path, 0o700).then(() => rename(path, place)))) left.push(place);
    }
  };
  await empty(folder);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    await empty(next);
    await rmdir(next);
  }
  await rmdir(aside);
  await rmdir(folder);
}

/** Whether something was there. */
async function unlessGone(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
