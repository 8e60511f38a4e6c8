import { headingOf, listItemOf, markdownLines, type MarkdownLine } from './markdown-lines.ts';
import type { SessionProblem } from './session-problem.ts';
import type { Requirement } from './spec-requirements.ts';
import type { SpecTask } from './task-document.ts';

/** What a plan is measured against. */
export interface PlanCheckInput {
  readonly plan: string;
  readonly planFile: string;
  readonly task: SpecTask;
  readonly taskFile: string;
  readonly requirements: readonly Requirement[];
}

/** What a plan leaves out of its task. */
export interface PlanCoverage {
  /** Requirements and criteria that the plan says nothing of; the session fails with them. */
  readonly gaps: readonly SessionProblem[];
  /** Small gaps. */
  readonly warnings: readonly SessionProblem[];
}

/** Shares of the words of a criterion that one passage of the plan must have: to cover it, and to be near it. */
const coveredShare = 0.65;
const nearShare = 0.45;

/**
 * Whether a plan covers every requirement and acceptance criterion of its task. One is covered where the plan names it
 * (`Requirements: 1.2`, a row of a table of requirements), or where one passage has at least 65 % of its words; with
 * fewer, from 45 %, that is a warning.
 */
export function checkCoverage(input: PlanCheckInput): PlanCoverage {
  const { plan, planFile, task, taskFile } = input;
  const passages = passagesOf(markdownLines(plan));
  const gaps: SessionProblem[] = [];
  const warnings: SessionProblem[] = [];
  const { wanted, unknown } = wantedOf(input);
  warnings.push(...unknown);
  for (const one of wanted) {
    const best = bestOf(passages, one);
    if (best.share >= coveredShare) continue;
    if (best.share >= nearShare && best.passage !== undefined)
      warnings.push({
        file: planFile,
        line: best.passage.line,
        message: `${one.name} is covered loosely at best: ${quoted(one.text)}`,
        fix: `name it there, or say more (${one.file}:${one.line})`,
      });
    else
      gaps.push({
        file: one.file,
        line: one.line,
        message: `${one.name} is not covered by ${planFile}: ${quoted(one.text)}`,
        fix:
          one.id === undefined
            ? 'plan it'
            : `plan it, or name it in the step that does (\`Requirements: ${one.id}\`)`,
      });
  }
  for (const sub of task.subTasks)
    if (bestOf(passages, { id: sub.id, ids: [sub.id], text: sub.title }).share < coveredShare)
      warnings.push({
        file: taskFile,
        line: sub.line,
        message: `the plan does not speak of sub-task ${sub.id}: ${quoted(sub.title)}`,
        fix: 'plan it, or leave it to another task',
      });
  return { gaps, warnings };
}

interface Wanted {
  /** For people: `criterion 1.2`. */
  readonly name: string;
  readonly id: string | undefined;
  /** Ids that name it, also those of the whole that it is part of. */
  readonly ids: readonly string[];
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** What the task asks for: the criteria of the requirements that it names, and its own. */
function wantedOf({ task, taskFile, requirements }: PlanCheckInput): {
  readonly wanted: readonly Wanted[];
  readonly unknown: readonly SessionProblem[];
} {
  const wanted = new Map<string, Wanted>();
  const unknown: SessionProblem[] = [];
  for (const { id, line } of task.requirements) {
    const found = namedBy(id, requirements);
    if (found.length === 0)
      unknown.push({
        file: taskFile,
        line,
        message: `task ${task.id} names requirement ${id}, which no document of the specification has`,
        fix: 'correct the number, or write the requirement',
      });
    for (const one of found) wanted.set(`${one.file}:${one.line}`, one);
  }
  for (const [index, { text, line }] of task.criteria.entries())
    wanted.set(`${taskFile}:${line}`, {
      name: `acceptance criterion ${index + 1} of task ${task.id}`,
      id: undefined,
      ids: [],
      text,
      file: taskFile,
      line,
    });
  if (wanted.size === 0 && unknown.length === 0)
    unknown.push({
      file: taskFile,
      line: task.line,
      message: `task ${task.id} names no requirement and no acceptance criterion`,
      fix: 'add `Requirements: 1.1, 1.2` or a list of acceptance criteria, so that the plan can be measured',
    });
  return { wanted: [...wanted.values()], unknown };
}

function namedBy(id: string, requirements: readonly Requirement[]): Wanted[] {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const whole = requirements.filter((one) => same(one.id, id));
  if (whole.length > 0)
    return whole.flatMap((one) =>
      one.criteria.length > 0
        ? one.criteria.map((criterion) => criterionOf(one, criterion))
        : [
            {
              name: `requirement ${one.id}`,
              id: one.id,
              ids: [one.id],
              text: one.text,
              file: one.file,
              line: one.line,
            },
          ],
    );
  return requirements.flatMap((one) =>
    one.criteria
      .filter((criterion) => same(criterion.id, id))
      .map((criterion) => criterionOf(one, criterion)),
  );
}

function criterionOf(
  { id: whole, file }: Requirement,
  { id, text, line }: Requirement['criteria'][number],
): Wanted {
  return { name: `criterion ${id}`, id, ids: [id, whole], text, file, line };
}

/** A part of a plan that is read as one: an item with what stands under it in the same paragraph, a row, a heading. */
interface Passage {
  readonly line: number;
  readonly text: string;
  readonly words: ReadonlySet<string>;
  /** Ids in it are those of requirements: it says so, or its heading or its table does. */
  readonly isOfRequirements: boolean;
}

const ofRequirements = /requirement|criteri|\bcover|\bac\b|\breqs?\b|traceab|satisf|fulfil/i;

function passagesOf(lines: readonly MarkdownLine[]): Passage[] {
  const passages: { line: number; text: string; isOfRequirements: boolean }[] = [];
  let isOpen = false;
  let section = '';
  let tableHead = '';
  for (const line of lines) {
    const heading = headingOf(line);
    if (heading !== undefined) section = heading.title;
    const isRow = /^\s*\|/.test(line.text);
    if (!isRow) tableHead = '';
    else if (tableHead === '') tableHead = line.text;
    const begins = heading !== undefined || isRow || listItemOf(line) !== undefined || !isOpen;
    if (line.text.trim() === '') {
      isOpen = false;
      continue;
    }
    const context = `${section} ${tableHead}`;
    const last = passages.at(-1);
    if (begins || last === undefined)
      passages.push({
        line: line.number,
        text: line.text,
        isOfRequirements: ofRequirements.test(`${context} ${line.text}`),
      });
    else {
      last.text += ` ${line.text.trim()}`;
      last.isOfRequirements ||= ofRequirements.test(line.text);
    }
    isOpen = heading === undefined && !isRow;
  }
  return passages.map((passage) => ({ ...passage, words: wordsOf(passage.text) }));
}

/** The passage that comes nearest; one that names the thing has it whole. */
function bestOf(
  passages: readonly Passage[],
  { ids, text }: Pick<Wanted, 'id' | 'ids' | 'text'>,
): { readonly share: number; readonly passage: Passage | undefined } {
  const words = [...wordsOf(text)];
  const named = ids.map((id) => new RegExp(`(?<![\\w.-])${id.replaceAll('.', '\\.')}(?![\\w-]|\\.\\d)`, 'i'));
  let best: { share: number; passage: Passage | undefined } = { share: 0, passage: undefined };
  for (const passage of passages) {
    const isNamed =
      named.some((pattern) => pattern.test(passage.text)) && (passage.isOfRequirements || hasLetters(ids));
    const share = isNamed ? 1 : shareOf(words, passage.words);
    if (share > best.share) best = { share, passage };
  }
  return best;
}

/** An id such as REQ-3 means itself wherever it stands; 1.2 may be a step or a version. */
function hasLetters(ids: readonly string[]): boolean {
  return ids.some((id) => /[a-z]/i.test(id));
}

function shareOf(words: readonly string[], passage: ReadonlySet<string>): number {
  return words.length === 0 ? 0 : words.filter((word) => passage.has(word)).length / words.length;
}

/** Words that say nothing of what is asked for. */
const empty = new Set(
  (
    'the a an and or of to in on at by for with from as is are be been has have when then where while given shall ' +
    'should must will would can could may system user users that this these those it its they them their all any each ' +
    'every not no if into onto than so such via per which who what'
  ).split(' '),
);

function wordsOf(text: string): ReadonlySet<string> {
  const plain =
    text
      .toLowerCase()
      .replace(/[`*_]/g, '')
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(plain.filter((word) => word.length > 1 && !empty.has(word)).map(stem));
}

/** Enough of a stem for `stores`, `stored` and `storing` to be one. */
function stem(word: string): string {
  if (word.length < 5) return word.replace(/s$/, '');
  return word.replace(/(?:ations?|ing|ed|es|s)$/, '').replace(/e$/, '');
}

function quoted(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return `"${line.length > 120 ? `${line.slice(0, 119)}…` : line}"`;
}
