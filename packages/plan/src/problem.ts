import { limits, type PlanProblem } from '@switchyard/protocol';

/** A position in a plan file; line and column are 1-based. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a problem says, apart from where. */
export interface ProblemText {
  readonly code: `PLAN_${string}`;
  readonly message: string;
  readonly fix: string;
  /** Default `error`. */
  readonly severity?: PlanProblem['severity'];
}

/** Makes a problem of its place and its text. */
export function problemAt(place: Place, text: ProblemText): PlanProblem {
  return {
    severity: text.severity ?? 'error',
    code: text.code,
    file: place.file,
    line: place.line,
    column: place.column,
    message: text.message,
    fix: text.fix,
  };
}

/** `file:line`. */
export function formatPlace({ file, line }: Pick<Place, 'file' | 'line'>): string {
  return `${file}:${line}`;
}

/** One problem for people: `file:line:column: error PLAN_CODE: message`, and a line that says how to mend it. */
export function formatProblem(problem: PlanProblem): string {
  return `${formatPlace(problem)}:${problem.column}: ${problem.severity} ${problem.code}: ${problem.message}\n  fix: ${problem.fix}`;
}

/** Sorts by place, errors kept before warnings when there are too many, and cuts at the limit with a word on it. */
export function inOrder(found: readonly PlanProblem[]): PlanProblem[] {
  const problems = [...new Map(found.map((problem) => [JSON.stringify(problem), problem])).values()];
  const errors = problems.filter((problem) => problem.severity === 'error');
  const warnings = problems.filter((problem) => problem.severity === 'warning');
  const kept = [...errors.toSorted(byPlace), ...warnings.toSorted(byPlace)].slice(
    0,
    limits.planProblemsShown,
  );
  const dropped = problems.length - kept.length;
  const last = kept.at(-1);
  const sorted = kept.toSorted(byPlace);
  if (dropped === 0 || last === undefined) return sorted;
  return [
    ...sorted,
    problemAt(last, {
      code: 'PLAN_MORE_PROBLEMS',
      severity: last.severity,
      message: `${dropped} more problems are not shown`,
      fix: 'mend the ones above and check again',
    }),
  ];
}

function byPlace(a: PlanProblem, b: PlanProblem): number {
  return a.line - b.line || a.column - b.column;
}

/** A list in words: `a`, `a and b`, `a, b and c`. */
export function inWords(items: readonly string[], last: 'and' | 'or' = 'and'): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${last} ${items.at(-1) ?? ''}`;
}
