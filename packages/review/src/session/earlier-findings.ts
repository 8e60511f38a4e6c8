import { severities, specializations, type Severity } from '@switchyard/protocol';
import type { FindingHistory, NamedFinding } from './integrate-results.ts';
import { headingOf, listItemOf, markdownLines } from './markdown-lines.ts';

/** A finding of an earlier review, as its report tells it. */
export interface EarlierFinding {
  readonly severity: Severity;
  readonly category?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly rule?: string | undefined;
  /** Its name, where the report is ours. */
  readonly fingerprint?: string | undefined;
  readonly description: string;
}

export type EarlierOutcome = 'resolved' | 'still open' | 'changed';

/** What became of an earlier finding, and how that is known. */
export interface EarlierStanding {
  readonly finding: EarlierFinding;
  readonly outcome: EarlierOutcome;
  readonly note: string;
  /** Nobody looked at it again: it counts as open. */
  readonly isUnseen: boolean;
}

/** Words of others for our severities. */
const severityWords: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  blocker: 'critical',
  major: 'major',
  high: 'major',
  minor: 'minor',
  medium: 'minor',
  low: 'minor',
  info: 'info',
};

/**
 * The findings of a report. Of one of ours: its items of the form `**P1** · major · security · in …`. Of any other: every
 * item of a list or row of a table with a word of severity and a place between backquotes, outside sections about what
 * was resolved.
 */
export function readEarlierFindings(report: string): EarlierFinding[] {
  const own: EarlierFinding[] = [];
  const others: EarlierFinding[] = [];
  let isResolved = false;
  for (const line of markdownLines(report)) {
    const heading = headingOf(line);
    if (heading !== undefined) isResolved = /resolved|earlier|conflict|let stand/i.test(heading.title);
    const isRow = !line.isCode && /^\s*\|/.test(line.text);
    const text = listItemOf(line)?.text ?? (isRow ? line.text.replaceAll('|', ' · ') : undefined);
    if (text === undefined) continue;
    const mine = ownFinding(text);
    if (mine !== undefined) own.push(mine);
    const other = isResolved ? undefined : otherFinding(text);
    if (other !== undefined) others.push(other);
  }
  return own.length > 0 ? own : others;
}

function ownFinding(text: string): EarlierFinding | undefined {
  const [, severity, category = '', more = '', description = ''] =
    /^\*\*P[1-4]\*\* · (critical|major|minor|info) · ([\w-]+)((?: · (?:in |rule )?`[^`]*`| · [a-z ]+)*) — (.*)$/.exec(
      text,
    ) ?? [];
  if (severity === undefined) return undefined;
  const place = / · in `([^`]*)`/.exec(more)?.[1];
  return {
    severity: severityWords[severity] ?? 'info',
    category,
    ...placeIn(place),
    rule: / · rule `([^`]*)`/.exec(more)?.[1],
    fingerprint: / · `#([0-9a-f]+)`/.exec(more)?.[1],
    description: unescaped(description),
  };
}

/** Text without what kept it from being Markdown. */
function unescaped(text: string): string {
  return text
    .replace(/\\([\\`*_[\]{}|#~!$+>=.)-])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}

function otherFinding(text: string): EarlierFinding | undefined {
  const words = text.replace(/`[^`]*`/g, ' ').toLowerCase();
  const severity = /\b(critical|blocker|major|high|minor|medium|low|info)\b/.exec(words)?.[1];
  const quoted = [...text.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => inside);
  const place = quoted.find((one) => /^[^\s:#]+\.\w+(:\d+){0,2}$|^[^\s:#]+:\d+(:\d+)?$/.test(one));
  if (severity === undefined || place === undefined) return undefined;
  return {
    severity: severityWords[severity] ?? 'info',
    category: specializations.find((name) => words.includes(name)),
    ...placeIn(place),
    rule: quoted.find((one) => one !== place && /^[\w-]+\/\S+$/.test(one)),
    description: text.slice(text.lastIndexOf('`') + 1).replace(/^[\s·—–:-]+|[\s·]+$/g, '') || text,
  };
}

function placeIn(place: string | undefined): { readonly file?: string; readonly line?: number } {
  const [, file = '', line] = /^(.*?)(?::(\d+))?(?::\d+)?$/.exec(place ?? '') ?? [];
  return { ...(file === '' ? {} : { file }), ...(line === undefined ? {} : { line: Number(line) }) };
}

/** What was looked at this time. */
export interface LookedAt {
  readonly files: ReadonlySet<string>;
  /** Dimensions whose reviewer came to a result. */
  readonly dimensions: ReadonlySet<string>;
  /** Whether a file is still there. */
  readonly exists: (file: string) => boolean;
}

/**
 * Each earlier finding with what became of it, and of each present one whether it is new. The same fingerprint, or the
 * same file and line with the same rule or words: still open. The same rule in the same file otherwise: changed. Neither:
 * resolved, if somebody looked.
 */
export function compareWithEarlier(
  earlier: readonly EarlierFinding[],
  present: readonly NamedFinding[],
  looked: LookedAt,
): {
  readonly standings: readonly EarlierStanding[];
  readonly historyOf: (finding: NamedFinding) => FindingHistory;
} {
  const histories = new Map<NamedFinding, FindingHistory>();
  const standings = new Map<EarlierFinding, EarlierStanding>();
  const take = (matches: typeof isSame, outcome: 'still open' | 'changed'): void => {
    for (const finding of earlier) {
      if (standings.has(finding)) continue;
      const match = present.find((one) => !histories.has(one) && matches(finding, one));
      if (match === undefined) continue;
      histories.set(match, outcome);
      const place = match.line === undefined ? '' : ` in line ${match.line}`;
      const note =
        outcome === 'changed' ? `the code is another, the flaw is there${place}` : `found again${place}`;
      standings.set(finding, { finding, outcome, note, isUnseen: false });
    }
  };
  take(isSame, 'still open');
  take(isAlike, 'changed');
  return {
    standings: earlier.map((finding) => standings.get(finding) ?? withoutMatch(finding, looked)),
    historyOf: (finding) => histories.get(finding) ?? 'new',
  };
}

function isSame(earlier: EarlierFinding, present: NamedFinding): boolean {
  if (earlier.fingerprint !== undefined)
    return present.fingerprint !== '' && present.fingerprint.startsWith(earlier.fingerprint);
  if (earlier.file !== present.file || earlier.line !== present.line) return false;
  return (earlier.rule !== undefined && earlier.rule === present.rule) || sameWords(earlier, present);
}

function isAlike(earlier: EarlierFinding, present: NamedFinding): boolean {
  if (earlier.file !== present.file) return false;
  if (earlier.rule !== undefined) return earlier.rule === present.rule;
  return sameWords(earlier, present);
}

function sameWords(earlier: EarlierFinding, present: NamedFinding): boolean {
  const told = earlier.description.toLowerCase();
  return told.includes(present.description.toLowerCase()) || present.description.toLowerCase().includes(told);
}

function withoutMatch(finding: EarlierFinding, looked: LookedAt): EarlierStanding {
  const { file, category } = finding;
  if (file !== undefined && !looked.exists(file))
    return { finding, outcome: 'resolved', note: 'the file is gone', isUnseen: false };
  if (file !== undefined && !looked.files.has(file))
    return {
      finding,
      outcome: 'still open',
      note: 'nobody looked: the file was not under review',
      isUnseen: true,
    };
  if (category !== undefined && !looked.dimensions.has(category))
    return {
      finding,
      outcome: 'still open',
      note: `nobody looked: no result for ${category}`,
      isUnseen: true,
    };
  return { finding, outcome: 'resolved', note: 'looked for, and not found again', isUnseen: false };
}

/** Earlier findings that would block, and that nobody looked at again. */
export function unseenBlocking(standings: readonly EarlierStanding[]): number {
  return standings.filter(({ finding, isUnseen }) => isUnseen && isBlockingSeverity(finding.severity)).length;
}

function isBlockingSeverity(severity: Severity): boolean {
  return severities.indexOf(severity) <= severities.indexOf('major');
}
