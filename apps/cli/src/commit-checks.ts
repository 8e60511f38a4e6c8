import { existsSync } from 'node:fs';
import { isAppError } from '@switchyard/protocol';
import type { CommitsFound, NeededRevision } from '@switchyard/repo';
import type { StateFolder } from '@switchyard/runtime';
import type { Observation } from '@switchyard/store';

/** What the journal says of a run, as far as it rests on commits. */
export interface RunOnCommits {
  readonly run: string;
  readonly ended: boolean;
  readonly base: string;
  readonly tip: string;
}

/** Looks whether the commits are there that refs name and runs rest on. No runs: the journal has none, or cannot be read. */
export async function commitsFound(
  { gitDir }: StateFolder,
  runs: readonly RunOnCommits[],
  isServed: boolean,
): Promise<Observation[]> {
  if (!existsSync(gitDir))
    return runs.length === 0 ? [] : [lost(`${gitDir} is gone, and the journal has runs`)];
  // Loaded when it is needed.
  const { inspectCommits } = await import('@switchyard/repo');
  const needed = runs.filter(({ ended }) => !ended).flatMap(neededBy);
  try {
    return found(gitDir, await inspectCommits(gitDir, { needed, isStill: !isServed }));
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, message } = error;
    return [{ name: 'commits', state: 'wrong', code, text: `${gitDir}: ${message}`, mend: fromCopy }];
  }
}

/** A run that has merged nothing may not have its branch yet. */
function neededBy({ run, base, tip }: RunOnCommits): NeededRevision[] {
  const branch = { revision: `refs/heads/switchyard/${run}`, what: `the branch of ${run}` };
  return [{ revision: base, what: `the base of ${run}` }, ...(tip === base ? [] : [branch])];
}

const fromCopy = 'put it back from a copy, or move the whole state folder away to begin anew';
const shownMax = 20;

function found(gitDir: string, { refs, unreadable, isCut }: CommitsFound): Observation[] {
  const cut: Observation[] = isCut
    ? [{ name: 'commits', state: 'note', text: `${gitDir}: not all was looked at: it took too long` }]
    : [];
  if (unreadable.length > 0) {
    const more = unreadable.length > shownMax ? [`and ${unreadable.length - shownMax} more`] : [];
    return [lost([gitDir, ...unreadable.slice(0, shownMax), ...more].join('\n')), ...cut];
  }
  return isCut ? cut : [{ name: 'commits', state: 'ok', text: `${gitDir}, ${refs} refs` }];
}

function lost(text: string): Observation {
  return { name: 'commits', state: 'wrong', code: 'E_STATE_DAMAGED', text, mend: fromCopy };
}
