import type { SourceText } from '../source-node.ts';

/** Hours, from and to. */
export interface Hours {
  readonly low: number;
  readonly high: number;
}

/** A table of tasks or a set of phases that a name such as `All core` may mean. */
export interface Group {
  readonly title: string;
  readonly offset: number;
}

/** Something wrong or remarkable at a place. */
export interface Remark {
  readonly offset: number;
  readonly code: `PLAN_${string}`;
  /** A warning, unless it says otherwise. */
  readonly severity?: 'error';
  readonly message: string;
  readonly fix: string;
}

/** Something that a plan holds and that is not run, and why. */
export interface LeftOut {
  readonly id: string;
  readonly line: number;
  readonly why: string;
}

/** What a task waits for, as written. */
export interface WaitName extends SourceText {
  /** The document that the name links to. */
  readonly document?: string;
}

/** A task as one part of the document tells of it: a row of a table, a reference in a phase, a heading `T0.11: …`. */
export interface DraftItem {
  /** Its id in the plan. */
  readonly id: string;
  readonly offset: number;
  /** What else it is called. */
  readonly names: readonly string[];
  readonly source: 'table' | 'phase' | 'heading';
  readonly group?: Group;
  readonly isReview: boolean;
  readonly document?: SourceText;
  /** Names of what it waits for; absent: nothing is said of it. */
  readonly waits?: readonly WaitName[];
  readonly hours?: Hours;
  /** Lower comes first. */
  readonly priority?: number;
  readonly kind?: SourceText;
  readonly workspace: readonly SourceText[];
  readonly run: readonly SourceText[];
  /** Where it says that it is done, and how. */
  readonly done?: SourceText;
  /** Where it says that it is put off, and how: it is no task of this plan. */
  readonly deferred?: SourceText;
}

/** `Review`, `Reviews` as a word. */
export function saysReview(text: string | undefined): boolean {
  return text !== undefined && /(^|[^\p{L}])reviews?($|[^\p{L}])/iu.test(text);
}

/** A document in a folder `complete` (or `completed`, `done`) is done. */
export function isCompletePath(path: string): boolean {
  return /(^|[/\\])(completed?|done)[/\\]/i.test(path);
}

/** Words that mean: waits for nothing. */
export function meansNothing(text: string): boolean {
  return /^(none|no|nothing|nil|n\/a|[-–—])$/i.test(text.trim());
}

/** `8-12`, `~3 hours`, `90 min`: hours; `unit` is what a number alone means. */
export function hoursIn(text: string, unit?: 'hours' | 'minutes'): Hours | undefined {
  const found =
    /(?<![\w.])(\d+(?:\.\d+)?)\s*(?:(?:-|–|—|to|\.\.)\s*(\d+(?:\.\d+)?))?\s*(hours?|hrs?|h|minutes?|mins?|m)?\b/i.exec(
      text,
    );
  if (found === null) return undefined;
  const [, from = '', to = from, written] = found;
  const isMinutes = written === undefined ? unit === 'minutes' : /^m/i.test(written);
  if (written === undefined && unit === undefined) return undefined;
  const scale = isMinutes ? 1 / 60 : 1;
  const [low, high] = [Number(from) * scale, Number(to) * scale];
  return low <= high ? { low, high } : { low: high, high: low };
}

export function hoursText({ low, high }: Hours): string {
  const shown = (hours: number): string => String(Number(hours.toFixed(2)));
  return low === high ? shown(low) : `${shown(low)}-${shown(high)}`;
}
