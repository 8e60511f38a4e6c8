import type { SourceText } from '../source-node.ts';
import { namesIn } from './task-table.ts';
import { saysReview, hoursIn, type DraftItem, type Remark } from './draft.ts';
import { isDeferredState } from './deferred.ts';
import { itemTitle, type Section } from './sections.ts';
import { codeSpans, endOf, everyNode, itemsOf, plainText, startOf, type Block } from './syntax.ts';

export type StepRole = 'define' | 'work' | 'review' | 'gate' | 'verify' | 'progress';

/** One step of the way of a change: `Step 3: Code review`. */
export interface Step {
  readonly title: string;
  readonly role: StepRole;
  readonly offset: number;
  /** As written. */
  readonly text: string;
  /** Paths that it names. */
  readonly paths: readonly SourceText[];
  /** Paths behind its `**Output**`. */
  readonly output: readonly SourceText[];
  /** Lines of its shell blocks. */
  readonly run: readonly SourceText[];
  /** Points of its lists, in one line each. */
  readonly points: readonly SourceText[];
}

/** A task that has a heading of its own, `### T0.11: Validation`, with the steps of its change. */
export interface HeadedItem extends DraftItem {
  readonly title: string;
  readonly text: string;
  readonly steps: readonly Step[];
  readonly blocks: readonly Block[];
}

const stepTitle = /^step\s+\d+\s*[:.—–-]?\s*(.*)$/i;

/** The steps that every headed task goes through where it has none of its own: `### Step N` below a heading of the workflow. */
export function templateSteps(sections: readonly Section[], source: string): Step[] {
  return sections.flatMap((section) => {
    const title = stepTitle.exec(section.title)?.[1];
    const isTemplate = section.path.slice(0, -1).some((each) => /workflow|template|pipeline/i.test(each));
    return title === undefined || !isTemplate
      ? []
      : stepOf(title, section.blocks, { source, offset: section.offset });
  });
}

/** All headed tasks. Sections beneath one of them belong to it. */
export function headedItems(sections: readonly Section[], source: string): HeadedItem[] {
  return sections.flatMap((section, index) => {
    const found = itemTitle.exec(section.title);
    if (found === null) return [];
    const [, id = '', title = ''] = found;
    const below = sections.slice(index + 1);
    const end = below.findIndex(({ depth }) => depth <= section.depth);
    const inner = end < 0 ? below : below.slice(0, end);
    const blocks = [section, ...inner].flatMap((each) => each.blocks);
    const steps = [
      ...ownSteps(section.blocks, source),
      ...inner.flatMap((each) => {
        const name = stepTitle.exec(each.title)?.[1];
        return name === undefined ? [] : stepOf(name, each.blocks, { source, offset: each.offset });
      }),
    ];
    return headedItem({ id, title, section, blocks, steps, source });
  });
}

interface Headed {
  readonly id: string;
  readonly title: string;
  readonly section: Section;
  readonly blocks: readonly Block[];
  readonly steps: readonly Step[];
  readonly source: string;
}

function headedItem({ id, title, section, blocks, steps, source }: Headed): HeadedItem {
  const waits = labelled(blocks, /^(depends on|dependencies|after|blocked by|needs)$/i);
  const hours = labelled(blocks, /^(hours|estimate|estimated effort|effort|duration)$/i);
  const status = labelled(blocks, /^status$/i);
  const isDone = status !== undefined && /^(✅|done\b|completed?\b)/iu.test(status.text);
  const state = allLabelled(blocks, /^(status|decision)$/i).find(({ text }) => isDeferredState(text));
  const range = hours && hoursIn(hours.text, 'hours');
  const group = section.path.at(-2);
  return {
    id,
    title,
    offset: section.offset,
    names: [title, `${id}: ${title}`],
    source: 'heading',
    isReview: saysReview(title),
    workspace: [
      ...outputOf(blocks),
      ...pathsBehind(labelled(blocks, /^(workspace|files|paths)$/i), blocks),
      ...steps.flatMap(({ output }) => output),
    ],
    run: [],
    blocks,
    steps,
    text: sliceOf(blocks, source),
    ...(group !== undefined && { group: { title: group, offset: section.offset } }),
    ...(waits && { waits: namesIn(waits.text, { source, from: waits.offset, to: waits.end }) }),
    ...(range && { hours: range }),
    ...(state && { deferred: { text: `it says "${state.text}"`, offset: state.offset } }),
    ...(isDone && { done: { text: `it says "${status.text}"`, offset: status.offset } }),
  };
}

/** Steps written as `**Step 2: Work**` between other paragraphs. */
function ownSteps(blocks: readonly Block[], source: string): Step[] {
  const starts = blocks.flatMap((block, index) => {
    const title = boldStart(block);
    const step = title === undefined ? null : stepTitle.exec(title);
    return step === null ? [] : [{ index, title: step[1] ?? '' }];
  });
  return starts.map(({ index, title }, at) => {
    const inner = blocks.slice(index, starts[at + 1]?.index);
    const [first] = inner;
    return stepOf(title, inner, { source, offset: first === undefined ? 0 : startOf(first) });
  });
}

function boldStart(block: Block): string | undefined {
  const first = block.type === 'paragraph' ? block.children[0] : undefined;
  return first?.type === 'strong' ? plainText(first) : undefined;
}

function stepOf(title: string, blocks: readonly Block[], at: { source: string; offset: number }): Step {
  const output = outputOf(blocks);
  return {
    title: title === '' ? 'Work' : title,
    role: roleOf(title),
    offset: at.offset,
    text: sliceOf(blocks, at.source),
    paths: codeSpans(blocks).filter(({ text }) => isPath(text)),
    output,
    run: blocks.flatMap((block) => [...everyNode(block)].flatMap(shellLines)),
    points: itemsOf(blocks).map((item) => ({ text: plainText(item), offset: startOf(item) })),
  };
}

function roleOf(title: string): StepRole {
  const roles: readonly (readonly [RegExp, StepRole])[] = [
    [/review/i, 'review'],
    [/\bverif|\breport results?\b|\bvalidate\b/i, 'verify'],
    [/\bmanual|\bdeploy|\buser (executes|runs)|\bapprov|\bgate\b/i, 'gate'],
    [/\bprogress\b/i, 'progress'],
    [/\bdefin|\bto-?do\b|\bset-?up\b|\bplan/i, 'define'],
  ];
  return roles.find(([words]) => words.test(title))?.[1] ?? 'work';
}

function shellLines(node: Block | Parameters<typeof startOf>[0]): SourceText[] {
  if (node.type !== 'code' || !/^(bash|sh|shell|console|zsh)$/i.test(node.lang ?? '')) return [];
  return node.value
    .split('\n')
    .map((line) => line.replace(/^\$\s+/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((text) => ({ text, offset: startOf(node) }));
}

/** Paths in a paragraph that begins with `**Output**`. */
function outputOf(blocks: readonly Block[]): SourceText[] {
  return blocks
    .filter((block) => /^outputs?:?$/i.test(boldStart(block) ?? ''))
    .flatMap((block) => codeSpans([block]).filter(({ text }) => isPath(text)));
}

function pathsBehind(label: Labelled | undefined, blocks: readonly Block[]): SourceText[] {
  if (label === undefined) return [];
  return codeSpans(blocks).filter(
    ({ text, offset }) => offset >= label.offset && offset < label.end && isPath(text),
  );
}

/** `src/auth/`, `scripts/check.js`; no command, no address. */
export function isPath(text: string): boolean {
  return /^[\w.@-][\w./@-]*$/.test(text) && (text.includes('/') || /\.\w{1,8}$/.test(text));
}

export interface Labelled extends SourceText {
  readonly end: number;
}

/** What stands behind a bold label: `**Status**: ready`. */
export function labelled(blocks: readonly Block[], label: RegExp): Labelled | undefined {
  return allLabelled(blocks, label)[0];
}

export function allLabelled(blocks: readonly Block[], label: RegExp): Labelled[] {
  return blocks.flatMap((block) =>
    block.type === 'paragraph'
      ? block.children.flatMap((node, index) => {
          if (node.type !== 'strong' || !label.test(plainText(node).replace(/:$/, ''))) return [];
          const rest = block.children.slice(index + 1);
          const next = rest.findIndex(({ type }) => type === 'strong');
          const own = next < 0 ? rest : rest.slice(0, next);
          const text = own
            .map(plainText)
            .join(' ')
            .replace(/^\s*:?\s*/, '')
            .trim();
          const last = own.at(-1) ?? node;
          return text === '' ? [] : [{ text, offset: startOf(node), end: endOf(last) }];
        })
      : [],
  );
}

function sliceOf(blocks: readonly Block[], source: string): string {
  const [first] = blocks;
  const last = blocks.at(-1);
  return first === undefined || last === undefined ? '' : source.slice(startOf(first), endOf(last)).trim();
}

/** The document that a step of progress speaks of: `PROGRESS.md`, quoted or not. */
function documentOf({ paths, text }: Step): string | undefined {
  const quoted = paths.find((path) => /\.(md|markdown)$/i.test(path.text))?.text;
  return quoted ?? /(?<![\w./-])[\w.-]+(?:\/[\w.-]+)*\.(?:md|markdown)\b/i.exec(text)?.[0];
}

/** What of the steps no task carries out. */
export function idleSteps(steps: readonly Step[], id: string): Remark[] {
  return steps.flatMap((step): Remark[] => {
    if (step.role === 'progress')
      return [
        {
          offset: step.offset,
          code: 'PLAN_STEP_LEFT_OUT',
          message: `"${step.title}" of ${id} becomes no task: the orchestrator itself writes progress down, when it is asked to`,
          fix: `run the plan with \`--progress ${documentOf(step) ?? 'PROGRESS.md'}\``,
        },
      ];
    if (step.role !== 'verify' || step.run.length > 0) return [];
    return [
      {
        offset: step.offset,
        code: 'PLAN_STEP_LEFT_OUT',
        message: `"${step.title}" of ${id} becomes no task: it names no command`,
        fix: 'add a block of shell lines: ```sh',
      },
    ];
  });
}
