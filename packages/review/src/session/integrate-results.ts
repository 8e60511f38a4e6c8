import { isBlocking, severities, type Finding, type Severity } from '@switchyard/protocol';
import type { Conclusion } from './session-document.ts';

/** A finding with the name that outlives moves in its file; empty where nobody gave one. */
export type NamedFinding = Finding & { readonly fingerprint: string };

/** What one reviewer handed in. */
export interface ReviewerResult {
  readonly reviewer: string;
  readonly findings: readonly NamedFinding[];
  readonly filesAnalyzed: number;
  readonly strengths: readonly string[];
  /** What the repository's policy lets stand. */
  readonly suppressed?: readonly LetStand[] | undefined;
}

/** A finding that somebody decided to live with, for a time. */
export interface LetStand {
  readonly finding: NamedFinding;
  readonly reason: string;
  readonly until: string;
}

export const priorities = ['P1', 'P2', 'P3', 'P4'] as const;
export type Priority = (typeof priorities)[number];

/** What an earlier finding has become, seen from the present one. */
export type FindingHistory = 'new' | 'still open' | 'changed';

export interface IntegratedFinding extends NamedFinding {
  /** Everybody who said it. */
  readonly reviewers: readonly string[];
  readonly priority: Priority;
  readonly history: FindingHistory;
}

/** Suggestions for one place that do not agree, side by side. */
export interface SuggestionConflict {
  readonly file: string;
  readonly line: number;
  readonly sides: readonly {
    readonly reviewer: string;
    readonly description: string;
    readonly suggestion: string;
  }[];
}

export interface Integration {
  /** Most urgent first, then by file and line. */
  readonly findings: readonly IntegratedFinding[];
  readonly conflicts: readonly SuggestionConflict[];
  /** Findings that were said by more than one, once too often each. */
  readonly duplicates: number;
  readonly counts: Readonly<Record<Severity, number>>;
  readonly strengths: readonly string[];
  readonly suppressed: readonly LetStand[];
}

/** Merges what reviewers found: what several say is kept once, with all their names and the most severe word. */
export function integrateResults(
  results: readonly ReviewerResult[],
  historyOf: (finding: NamedFinding) => FindingHistory = () => 'new',
): Integration {
  const said = results.flatMap(({ reviewer, findings }) =>
    findings.map((finding) => ({ reviewer, finding })),
  );
  const groups = groupsOf(said);
  const findings = groups.map((group) => integrated(group, historyOf)).toSorted(byUrgency);
  const counts = Object.fromEntries(
    severities.map((severity) => [severity, findings.filter((one) => one.severity === severity).length]),
  ) as Record<Severity, number>;
  return {
    findings,
    conflicts: conflictsOf(groups),
    duplicates: said.length - findings.length,
    counts,
    strengths: [...new Set(results.flatMap(({ strengths }) => strengths))],
    suppressed: letStandOf(results),
  };
}

/** Each once, whoever came upon it. */
function letStandOf(results: readonly ReviewerResult[]): LetStand[] {
  const known = new Map<string, LetStand>();
  for (const one of results.flatMap(({ suppressed = [] }) => suppressed)) {
    const { file, line, rule, description } = one.finding;
    known.set(JSON.stringify([file, line, rule, description]), one);
  }
  return [...known.values()];
}

interface Said {
  readonly reviewer: string;
  readonly finding: NamedFinding;
}

/** What is the same: one place, and one rule or the same words. */
function groupsOf(said: readonly Said[]): Said[][] {
  const byKey = new Map<string, Said[]>();
  const groups: Said[][] = [];
  for (const one of said) {
    const keys = keysOf(one.finding);
    const found = keys.map((key) => byKey.get(key)).find((group) => group !== undefined);
    const group = found ?? [];
    if (found === undefined) groups.push(group);
    group.push(one);
    for (const key of keys) if (!byKey.has(key)) byKey.set(key, group);
  }
  return groups;
}

function keysOf({ file, line, column, rule, description }: Finding): string[] {
  const words = JSON.stringify([file, line, 'words', description.trim().toLowerCase()]);
  return rule === undefined ? [words] : [words, JSON.stringify([file, line, column, 'rule', rule])];
}

function integrated(
  group: readonly Said[],
  historyOf: (finding: NamedFinding) => FindingHistory,
): IntegratedFinding {
  const [first] = group.toSorted((a, b) => rankOf(a.finding) - rankOf(b.finding));
  if (first === undefined) throw new Error('a group of findings is empty');
  const reviewers = [...new Set(group.map(({ reviewer }) => reviewer))];
  const history = historyOf(first.finding);
  const suggestion =
    first.finding.suggestion ?? group.find(({ finding }) => finding.suggestion)?.finding.suggestion;
  return {
    ...first.finding,
    ...(suggestion === undefined ? {} : { suggestion }),
    reviewers,
    history,
    priority: priorityOf(first.finding, { reviewers: reviewers.length, history }),
  };
}

/** By severity; a step up for what several say, or what an earlier review has already asked for. */
function priorityOf(
  finding: Finding,
  { reviewers, history }: { readonly reviewers: number; readonly history: FindingHistory },
): Priority {
  const isRaised = finding.severity !== 'info' && (reviewers > 1 || history !== 'new');
  return priorities[Math.max(0, rankOf(finding) - (isRaised ? 1 : 0))] ?? 'P4';
}

/** Different reviewers, one line, suggestions that differ. */
function conflictsOf(groups: readonly Said[][]): SuggestionConflict[] {
  const places = new Map<string, Said[]>();
  for (const one of groups.flat()) {
    const { file, line, suggestion } = one.finding;
    if (file === undefined || line === undefined || suggestion === undefined) continue;
    const key = JSON.stringify([file, line]);
    places.set(key, [...(places.get(key) ?? []), one]);
  }
  return [...places.values()].flatMap((all) => {
    const sides = new Map(all.map((one) => [`${one.reviewer} ${one.finding.suggestion}`, one]));
    const differing = new Set([...sides.values()].map(({ finding }) => finding.suggestion));
    const reviewers = new Set([...sides.values()].map(({ reviewer }) => reviewer));
    const [first] = all;
    if (differing.size < 2 || reviewers.size < 2 || first === undefined) return [];
    return [
      {
        file: first.finding.file ?? '',
        line: first.finding.line ?? 0,
        sides: [...sides.values()].map(({ reviewer, finding }) => ({
          reviewer,
          description: finding.description,
          suggestion: finding.suggestion ?? '',
        })),
      },
    ];
  });
}

function rankOf({ severity }: Finding): number {
  return severities.indexOf(severity);
}

function byUrgency(a: IntegratedFinding, b: IntegratedFinding): number {
  if (a.priority !== b.priority) return a.priority < b.priority ? -1 : 1;
  if (a.severity !== b.severity) return rankOf(a) - rankOf(b);
  if (a.file !== b.file) return (a.file ?? '') < (b.file ?? '') ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}

/** What a session comes to, and why, for people. */
export interface SessionVerdict {
  readonly conclusion: Conclusion;
  readonly reasons: readonly string[];
}

/** It passes with a result of every reviewer, and nothing critical or major in any; nothing else passes. */
export function concludeSession(
  { findings }: Pick<Integration, 'findings'>,
  about: {
    readonly withoutResult: readonly string[];
    readonly notSeenAgain: number;
    /** Files that were under review. */
    readonly files: number;
  },
): SessionVerdict {
  const blocking = findings.filter(isBlocking);
  const reasons = [
    ...severities.flatMap((severity) => {
      const count = blocking.filter((one) => one.severity === severity).length;
      return count === 0 ? [] : [`${count} ${severity} ${count === 1 ? 'finding is' : 'findings are'} open`];
    }),
    ...about.withoutResult.map((name) => `${name} came to no result`),
    ...(about.files > 0 ? [] : ['no file was under review']),
    ...(about.notSeenAgain === 0
      ? []
      : [`${about.notSeenAgain} critical or major findings of the earlier review were not looked at again`]),
  ];
  if (blocking.length > 0) return { conclusion: 'changes_required', reasons };
  if (reasons.length > 0) return { conclusion: 'incomplete', reasons };
  return {
    conclusion: 'passed',
    reasons: ['every reviewer came to a result, and nothing critical or major is open'],
  };
}
