import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from './git-runner.ts';

/** What the names of such files begin with. */
export const temporaryIndexPrefix = 'switchyard-index-';

/**
 * Lends git an index file of its own, gone afterwards. A process that is killed leaves it in `folder`, whose owner
 * takes it away.
 */
export async function withTemporaryIndex<T>(
  git: Git,
  folder: string,
  work: (git: Git) => Promise<T>,
): Promise<T> {
  const index = join(folder, `${temporaryIndexPrefix}${randomUUID()}`);
  try {
    return await work(git.with({ GIT_INDEX_FILE: index }));
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}
