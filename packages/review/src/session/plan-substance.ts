import { headingOf, listItemOf, markdownLines, type MarkdownLine } from './markdown-lines.ts';
import type { SessionProblem } from './session-problem.ts';

/** A path that a text names between backquotes. */
export interface NamedPath {
  readonly path: string;
  readonly line: number;
}

/** What is to be said of the substance of a plan. */
export interface PlanSubstance {
  /** The plan takes a way that the specification rules out: a person has to decide. */
  readonly conflicts: readonly SessionProblem[];
  /** Small doubts about the technical solution and the schedule. */
  readonly warnings: readonly SessionProblem[];
}

/** Looks at the technical solution and the schedule of a plan. */
export function checkSubstance(plan: string, planFile: string, specs: readonly string[]): PlanSubstance {
  const lines = markdownLines(plan);
  const at = (line: number, message: string, fix: string): SessionProblem => ({
    file: planFile,
    line,
    message,
    fix,
  });
  return {
    conflicts: conflictsWith(specs, lines, at),
    warnings: [...solutionProblems(lines, at), ...scheduleProblems(lines, at)],
  };
}

type At = (line: number, message: string, fix: string) => SessionProblem;

const solution = /design|approach|solution|architecture|technical|implementation|how/i;

function solutionProblems(lines: readonly MarkdownLine[], at: At): SessionProblem[] {
  const saysHow = lines.some((line) => {
    const title = headingOf(line)?.title ?? /^\s*\*\*([^*]+)\*\*/.exec(line.text)?.[1];
    return title !== undefined && solution.test(title);
  });
  const hasSteps = lines.some((line) => listItemOf(line) !== undefined);
  if (saysHow || hasSteps) return [];
  return [at(1, 'the plan does not say how the task is solved', 'add the technical solution or its steps')];
}

function conflictsWith(specs: readonly string[], lines: readonly MarkdownLine[], at: At): SessionProblem[] {
  return [...new Set(specs.flatMap(excludedBy))].flatMap((name) => {
    const word = new RegExp(`(?<![\\w-])${name.replace(/[^\w]/g, '\\$&')}(?![\\w-])`, 'i');
    const line = lines.find(
      ({ text }) => word.test(text) && !/\b(not|never|no|without|instead of|avoid)\b/i.test(text),
    );
    if (line === undefined) return [];
    const message = `the plan speaks of ${name}, which the specification rules out`;
    return [at(line.number, message, 'take another way, or change the specification')];
  });
}

/** `must not use X` of a specification. */
function excludedBy(spec: string): string[] {
  const found = spec.matchAll(
    /(?:must not|may not|do not|don't|never)\s+use\s+(?:`([^`\n]{2,40})`|([A-Z][\w.+#-]{1,39}))/g,
  );
  return [...found]
    .map(([, quoted, named]) => (quoted ?? named ?? '').replace(/\.$/, ''))
    .filter((name) => name !== '');
}

const hours: Readonly<Record<string, number>> = { m: 1 / 60, h: 1, d: 8 };

function scheduleProblems(lines: readonly MarkdownLine[], at: At): SessionProblem[] {
  const problems: SessionProblem[] = [];
  let sum = 0;
  let count = 0;
  let total: { readonly hours: number; readonly line: number } | undefined;
  for (const line of lines) {
    if (line.isCode) continue;
    const estimate = estimateOf(line.text);
    if (estimate !== undefined && /\b(total|overall|sum|altogether)\b/i.test(line.text))
      total = { hours: estimate, line: line.number };
    else if (estimate !== undefined) {
      sum += estimate;
      count += 1;
    }
    problems.push(...dateProblems(line, at), ...orderProblems(line, at));
  }
  if (total !== undefined && count > 1 && Math.abs(total.hours - sum) > 0.01)
    problems.push(
      at(
        total.line,
        `the plan says ${round(total.hours)} hours in total; its steps come to ${round(sum)}`,
        'correct one of them',
      ),
    );
  const hasDates = lines.some(({ text }) => /\b\d{4}-\d{2}-\d{2}\b/.test(text));
  if (count === 0 && total === undefined && !hasDates)
    problems.push(at(1, 'the plan has no schedule', 'add an estimate to its steps, such as (2 h)'));
  return problems;
}

function estimateOf(text: string): number | undefined {
  const found = /(?<![\w.-])(\d+(?:\.\d+)?)\s*(h|hrs?|hours?|d|days?|min|minutes?)\b/i.exec(text);
  const [, amount = '', unit = ''] = found ?? [];
  return amount === '' ? undefined : Number(amount) * (hours[unit.charAt(0).toLowerCase()] ?? 1);
}

function dateProblems({ text, number }: MarkdownLine, at: At): SessionProblem[] {
  const [, from = '', to = ''] =
    /\b(\d{4}-\d{2}-\d{2})\s*(?:–|—|-|to|until|→)\s*(\d{4}-\d{2}-\d{2})\b/.exec(text) ?? [];
  return from > to ? [at(number, `${to} comes before ${from}`, 'correct the dates')] : [];
}

/** A step that waits for one that comes after it. */
function orderProblems({ text, number }: MarkdownLine, at: At): SessionProblem[] {
  const own = /^\W*(?:\d+[.)]\s+)?\W*step\s+(\d+)\b/i.exec(text)?.[1];
  const needed = /depends on\s+step\s+(\d+)/i.exec(text)?.[1];
  if (own === undefined || needed === undefined || Number(needed) < Number(own)) return [];
  return [
    at(number, `step ${own} depends on step ${needed}, which does not come before it`, 'change their order'),
  ];
}

function round(amount: number): number {
  return Math.round(amount * 100) / 100;
}

/** Paths between backquotes: with a slash or an ending, and nothing that no path has. */
export function pathsNamed(text: string): NamedPath[] {
  return markdownLines(text).flatMap((line) =>
    [...line.text.matchAll(/`([^`\s]+)`/g)].flatMap(([, word = '']) => {
      const path = word
        .replace(/^\.\//, '')
        .replace(/:\d+(?::\d+)?$/, '')
        .replace(/\/$/, '');
      const isPath =
        /^[\w@.][\w@.+-]*(\/[\w@.+-]+)*$/.test(path) && (path.includes('/') || /\.[a-z]\w{0,4}$/i.test(path));
      return isPath && !path.split('/').includes('..') ? [{ path, line: line.number }] : [];
    }),
  );
}
