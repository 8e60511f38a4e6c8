import { distance } from 'fastest-levenshtein';
import { AppError } from './app-error.ts';

/** The nearest of `names` to a misspelt one, if any is near enough to be meant: half of its letters, at most three, may differ. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = 1 + (wanted.length < 3 ? 0 : Math.min(3, Math.floor(wanted.length / 2)));
  for (const candidate of names) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const found = typingDistance(wanted, candidate.toLowerCase());
    if (found >= bestDistance) continue;
    best = candidate;
    bestDistance = found;
  }
  return best;
}

/** Levenshtein's, but letters in a wrong order are one slip. */
function typingDistance(a: string, b: string): number {
  const steps = distance(a, b);
  return steps > 1 && a.length === b.length && lettersOf(a) === lettersOf(b) ? 1 : steps;
}

function lettersOf(text: string): string {
  return text.split('').toSorted().join('');
}

/** Tasks that are listed where none comes near the name that was asked for. */
const tasksListedMax = 8;

/** A run has no task of a name: E_TASK_UNKNOWN, with the one that may be meant, or else with those there are. */
export function unknownTask(run: string, name: string, tasks: Iterable<string>): AppError {
  const ids = [...tasks];
  const meant = nearest(name, ids);
  const more = ids.length > tasksListedMax ? ` and ${ids.length - tasksListedMax} more` : '';
  const listed = `it has ${ids.slice(0, tasksListedMax).join(', ')}${more}`;
  const hint = meant === undefined ? listed : `did you mean ${meant}?`;
  return new AppError('E_TASK_UNKNOWN', `run ${run} has no task ${name}; ${hint}`);
}
