import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import { gitLimits } from './git-limits.ts';
import { Git } from './git-runner.ts';

/**
 * The commits where the history that an attempt sees begins, and which have no parents for it: where we cut, since
 * its pack is made for each attempt, and where the user's own clone is cut off. None: it sees all of it.
 */
export async function historyStart(cacheDir: string, base: CommitId): Promise<string[]> {
  const args = ['rev-list', '--parents', '-n', String(gitLimits.attemptHistory), base];
  const listed = await Git.at(cacheDir).run(args, { accept: [128] });
  // A parent is missing: the history was cut off before it came here.
  if (listed.exitCode !== 0) return [base];
  const rows = linesOf(listed.stdout.toString()).map((row) => row.split(' '));
  const seen = new Set(rows.map(([commit]) => commit));
  const cut = rows.flatMap(([commit, ...parents]) =>
    commit !== undefined && parents.some((parent) => !seen.has(parent)) ? [commit] : [],
  );
  const cutBefore = linesOf(await shallowCommits(cacheDir)).filter((commit) => seen.has(commit));
  return [...new Set([...cut, ...cutBefore])];
}

async function shallowCommits(gitDir: string): Promise<string> {
  try {
    return await readFile(join(gitDir, 'shallow'), 'utf8');
  } catch (error) {
    // A whole clone has no such file.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
