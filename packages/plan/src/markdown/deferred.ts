/** What says of something that it is put off: it is never imported. */

const off = '(?:deferred|postponed)';
const until = '(?:to|until|till|for|by|after|pending)';
const things = '(?:tasks?|work|items?|reviews?|features?|steps?)';

const begins = new RegExp(`^(?:${off}|(?:explicitly )?out of scope)\\b`, 'i');
const ends = new RegExp(`(?:^|[\\s/,;:&|–—-])${off}(?:\\s+${things})?(?:\\s*$|\\s+${until}\\b)`, 'i');
const inBrackets = new RegExp(
  `[([]\\s*(?:[^)\\]]*[;,:/–—]\\s*)?${off}(?:\\s*[)\\];,:/–—-]|\\s+${until}\\b)`,
  'i',
);
const behindDash = new RegExp(`\\s[–—-]+\\s*${off}(?:\\s*$|\\s+${until}\\b)`, 'i');
const whole = new RegExp(`^\\W*(?:defer(?:red)?|postponed?)(?:\\s*$|\\s*[(:,;.–—-]|\\s+${until}\\b)`, 'iu');

/** A title of a part of the document: `Deferred (post-MVP)`, `Out of scope / deferred`, `Phase 6: Deferred tasks`. */
export function isDeferredTitle(title: string): boolean {
  return begins.test(title) || ends.test(title) || isNotedDeferred(title);
}

/** The name of a task with a note behind it: `Fax (deferred to spring)`, `Fax – deferred`. */
export function isNotedDeferred(text: string): boolean {
  return inBrackets.test(text) || behindDash.test(text);
}

/** A state of a task: `Deferred`, `🟡 Defer to phase 1`. */
export function isDeferredState(text: string): boolean {
  return whole.test(text);
}

/** A document in a folder `deferred`, as one in `complete` is done. */
export function isDeferredPath(path: string): boolean {
  return new RegExp(`(?:^|[/\\\\])${off}[/\\\\]`, 'i').test(path);
}
