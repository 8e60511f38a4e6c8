import {
  headingOf,
  leadingId,
  listItemOf,
  markdownLines,
  plainTitle,
  type MarkdownLine,
} from './markdown-lines.ts';
import type { SessionProblem } from './session-problem.ts';

/** A task or sub-task with its box. */
export interface TaskItem {
  readonly id: string;
  readonly title: string;
  readonly line: number;
  readonly isTicked: boolean;
}

/** What a text asks for, where it stands. */
export interface TaskCriterion {
  readonly text: string;
  readonly line: number;
}

/** A task as the list of tasks has it. */
export interface SpecTask {
  readonly id: string;
  readonly title: string;
  readonly line: number;
  /** Absent where the task is a heading without a box. */
  readonly item?: TaskItem | undefined;
  readonly subTasks: readonly TaskItem[];
  /** Requirements that it names, as it names them. */
  readonly requirements: readonly { readonly id: string; readonly line: number }[];
  readonly criteria: readonly TaskCriterion[];
  /** All that is said of it. */
  readonly text: string;
}

/** A task that was found, or what keeps it from being found. */
export interface TaskReading {
  readonly task?: SpecTask;
  readonly problems: readonly SessionProblem[];
}

/**
 * Finds a task in the list of tasks: a box (`- [ ] 3. Title`, `[ ] 3`), a heading (`## Task 3: Title`), or both. Boxes
 * whose ids begin with the task's are its sub-tasks.
 */
export function readTask(text: string, id: string, file: string): TaskReading {
  const lines = markdownLines(text);
  const boxes = boxesOf(lines);
  const mine = boxes.filter((box) => box.id === id);
  const headings = lines.filter((line) => leadingId(headingOf(line)?.title ?? '')?.id === id);
  const [first, second] = mine.length > 1 ? mine : headings.length > 1 ? headings.map(lineNumber) : [];
  if (first !== undefined && second !== undefined)
    return {
      problems: [
        {
          file,
          line: second.line,
          message: `task ${id} is there twice, in lines ${first.line} and ${second.line}`,
          fix: 'give one of them another number',
        },
      ],
    };
  const [item] = mine;
  const [heading] = headings;
  if (item === undefined && heading === undefined)
    return { problems: [{ file, message: `there is no task ${id}`, fix: missingFix(boxes) }] };
  const body = bodyOf(lines, { item, heading, id });
  return { task: taskOf({ id, item, heading, body, boxes }), problems: [] };
}

function lineNumber({ number }: MarkdownLine): { readonly line: number } {
  return { line: number };
}

function missingFix(boxes: readonly TaskItem[]): string {
  const known = boxes.filter(({ id }) => !id.includes('.')).map(({ id }) => id);
  if (known.length === 0) return 'write it as `- [ ] 1. Title`';
  const shown = known.slice(0, 20).join(', ');
  return `there are ${shown}${known.length > 20 ? ' and more' : ''}`;
}

interface Box extends TaskItem {
  readonly indent: number;
  /** Where its mark stands in the line. */
  readonly markAt: number;
}

function boxesOf(lines: readonly MarkdownLine[]): Box[] {
  return lines.flatMap((line) => {
    const item = listItemOf(line);
    const named = item?.isTicked === undefined ? undefined : leadingId(item.text);
    if (item?.isTicked === undefined || named === undefined) return [];
    const { indent, isTicked, markAt } = item;
    return [{ id: named.id, title: named.rest, line: line.number, isTicked, indent, markAt }];
  });
}

interface Place {
  readonly id: string;
  readonly item: Box | undefined;
  readonly heading: MarkdownLine | undefined;
}

/** The lines that speak of a task: the section of its heading, and what stands under its box. */
function bodyOf(lines: readonly MarkdownLine[], { item, heading, id }: Place): MarkdownLine[] {
  const numbers = new Set<number>();
  const level = heading && headingOf(heading)?.level;
  if (heading !== undefined && level !== undefined)
    for (const line of lines.slice(heading.number - 1)) {
      const other = headingOf(line);
      if (line !== heading && other !== undefined && other.level <= level) break;
      numbers.add(line.number);
    }
  if (item !== undefined)
    for (const line of lines.slice(item.line - 1)) {
      if (line.number !== item.line && endsItem(line, item, id)) break;
      numbers.add(line.number);
    }
  return lines.filter(({ number }) => numbers.has(number));
}

/** Another task, or a box beside the task's own, or a heading ends what stands under a box. */
function endsItem(line: MarkdownLine, item: Box, id: string): boolean {
  const heading = headingOf(line);
  if (heading !== undefined) return !/acceptance|criteria|requirement|sub-?tasks?/i.test(heading.title);
  const other = listItemOf(line);
  if (other?.isTicked === undefined) return false;
  const named = leadingId(other.text);
  if (named !== undefined) return !named.id.startsWith(`${id}.`);
  return other.indent < item.indent || (other.indent === item.indent && item.indent > 0);
}

function taskOf({
  id,
  item,
  heading,
  body,
  boxes,
}: Place & { readonly body: readonly MarkdownLine[]; readonly boxes: readonly Box[] }): SpecTask {
  const numbers = new Set(body.map(({ number }) => number));
  const title = item?.title ?? leadingId((heading && headingOf(heading)?.title) ?? '')?.rest ?? '';
  return {
    id,
    title,
    line: item?.line ?? heading?.number ?? 1,
    ...(item === undefined ? {} : { item }),
    subTasks: boxes.filter((box) => box.id.startsWith(`${id}.`) && numbers.has(box.line)),
    requirements: body.flatMap(referencesOf),
    criteria: criteriaOf(body),
    text: body.map(({ text }) => text).join('\n'),
  };
}

/** `_Requirements: 1.1, REQ-2_` and the like. */
function referencesOf({
  text,
  number,
  isCode,
}: MarkdownLine): { readonly id: string; readonly line: number }[] {
  const [, named = ''] =
    (isCode ? null : /^[\W_]*(?:requirements?|covers|satisfies)[\W_]*:\s*(.+)$/i.exec(text)) ?? [];
  return (named.match(/\b[A-Z]{1,6}-?\d+(?:\.\d+)*|\b\d+(?:\.\d+)*/g) ?? []).map((id) => ({
    id,
    line: number,
  }));
}

/** The items under every "Acceptance criteria" of some lines. */
export function criteriaOf(lines: readonly MarkdownLine[]): TaskCriterion[] {
  const found: { text: string; line: number }[] = [];
  let isInside = false;
  let indent = 0;
  for (const line of lines) {
    if (isCriteriaLabel(line)) {
      isInside = true;
      indent = -1;
      continue;
    }
    if (!isInside || line.text.trim() === '') continue;
    const item = listItemOf(line);
    if (item === undefined) {
      const last = found.at(-1);
      const isContinued =
        last !== undefined && indent >= 0 && /^\s/.test(line.text) && headingOf(line) === undefined;
      if (isContinued) last.text += ` ${line.text.trim()}`;
      else isInside = false;
      continue;
    }
    if (indent < 0) indent = item.indent;
    const isOther =
      item.indent < indent || isLabel(item.text) || (item.isTicked !== undefined && isTaskId(item.text));
    if (isOther) isInside = false;
    else if (item.indent > indent && found.length > 0) {
      const last = found.at(-1);
      if (last !== undefined) last.text += ` ${item.text}`;
    } else found.push({ text: plainTitle(item.text), line: line.number });
  }
  return found;
}

/** `#### Acceptance criteria`, `**Acceptance criteria:**`, `- Acceptance criteria:` */
function isCriteriaLabel(line: MarkdownLine): boolean {
  if (line.isCode) return false;
  const text = headingOf(line)?.title ?? listItemOf(line)?.text ?? line.text;
  return /^[\s*_#]*acceptance criteri(?:a|on)[\s*_:]*$/i.test(text);
}

function isLabel(text: string): boolean {
  return /^[*_]*(?:requirements?|notes?|depends on|dependencies|files?|estimates?)\b[^:]*:/i.test(text);
}

/** `1.2 Title`, as sub-tasks have it; `AC-1` is no task. */
function isTaskId(text: string): boolean {
  return /^[`*_]*\d+\.\d/.test(text);
}

/** A list of tasks with more boxes ticked. */
export interface Ticked {
  readonly text: string;
  /** Ids of the boxes that were open and are ticked now. */
  readonly ids: readonly string[];
}

/** Ticks the boxes of a task and of its sub-tasks; every other byte stays. */
export function tickTask(text: string, id: string): Ticked {
  const lines = markdownLines(text);
  const { task } = readTask(text, id, '');
  const wanted = new Map(boxesOf(lines).map((box) => [box.line, box]));
  const own = new Set(
    [...(task?.item ? [task.item] : []), ...(task?.subTasks ?? [])].map(({ line }) => line),
  );
  const ids: string[] = [];
  const ticked = lines.map((line) => {
    const box = wanted.get(line.number);
    if (box === undefined || box.isTicked || !own.has(line.number)) return line.text + line.end;
    ids.push(box.id);
    return `${line.text.slice(0, box.markAt)}x${line.text.slice(box.markAt + 1)}${line.end}`;
  });
  return { text: ticked.join(''), ids };
}
