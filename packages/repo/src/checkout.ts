import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, type CommitId } from '@switchyard/protocol';
import { makeFolder } from '@switchyard/runtime';
import { gitLimits } from './git-limits.ts';
import { Git } from './git-runner.ts';
import { withTemporaryIndex } from './temporary-index.ts';

/**
 * Writes the files of a commit into a new or empty folder: plain files, no `.git`, byte for byte as committed,
 * whatever the commit's attributes ask for. Throws AppError E_IO when something is in the folder.
 */
export async function checkoutFiles(gitDir: string, commit: CommitId, folder: string): Promise<void> {
  await makeFolder(folder, 0o700);
  if ((await readdir(folder)).length > 0) {
    throw new AppError('E_IO', `${folder} is not empty; a commit is only laid into a folder of its own`);
  }
  await withTemporaryIndex(Git.at(gitDir, folder), dirname(folder), async (git) => {
    await git.run(['read-tree', commit]);
    await git.run(['checkout-index', '--all', '--force', '-q'], { timeoutMs: gitLimits.longTimeoutMs });
  });
}
