import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';

/**
 * Lets a repository of ours know where the history of the user's is cut (`git clone --depth`): it lacks the same
 * parents. What an earlier import was cut at stays so.
 */
export async function importShallow(from: string, to: string): Promise<void> {
  const [theirs, ours] = await Promise.all([cutCommits(from), cutCommits(to)]);
  if (theirs.every((commit) => ours.includes(commit))) return;
  const made = join(to, `shallow.${randomUUID()}`);
  await writeFile(made, [...new Set([...ours, ...theirs])].map((commit) => `${commit}\n`).join(''));
  await rename(made, join(to, 'shallow'));
}

async function cutCommits(gitDir: string): Promise<string[]> {
  const file = join(gitDir, 'shallow');
  try {
    return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new AppError('E_IO', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
