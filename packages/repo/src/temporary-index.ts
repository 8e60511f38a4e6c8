import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Git } from './git-runner.ts';

/** Lends git an index file of its own, gone afterwards. */
export async function withTemporaryIndex<T>(git: Git, work: (git: Git) => Promise<T>): Promise<T> {
  const index = join(tmpdir(), `switchyard-index-${randomUUID()}`);
  try {
    return await work(git.with({ GIT_INDEX_FILE: index }));
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}
