import type { RunHistory } from '@switchyard/history';

/** A history as text. */
export function historyText({ run, facts, known, reviews, events }: RunHistory): string {
  return sortedText({ run, facts, known, reviews, events: events.from(0) });
}

/** Anything as text that does not depend on the order in which sets and fields came to be. */
export function sortedText(value: unknown): string {
  return JSON.stringify(value, (key, one: unknown) => {
    if (one instanceof Set) return [...(one as Set<string>)].toSorted();
    if (one instanceof Map) {
      const entries = [...(one as Map<string, unknown>)];
      return key === 'tasks' || key === 'reviews'
        ? entries
        : entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
    }
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** All histories of a recovery. */
export function historiesText(histories: ReadonlyMap<string, RunHistory>): string {
  return [...histories.keys()]
    .toSorted()
    .map((run) => historyText(histories.get(run) as RunHistory))
    .join('\n');
}
