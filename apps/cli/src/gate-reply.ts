import { AppError, type GateValues, type WaitingFor } from '@switchyard/protocol';
import { oneLine } from './show-text.ts';

/** Names one question: a gate that asks again has another. */
export interface GateQuestion {
  readonly run: string;
  readonly task: string;
  readonly waiting: WaitingFor;
}

export type GateReply =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'answered';
      readonly approve: boolean;
      readonly note: string;
      readonly inputs: GateValues;
    };

/** The file in which a person answers a gate. */
export function questionText(question: GateQuestion): string {
  const { run, task, waiting } = question;
  const inputs = (waiting.inputs ?? []).map(({ name, text, choices, default: value }) => {
    const hints = [
      ...(text === '' ? [] : [oneLine(text)]),
      ...(choices.length === 0 ? [] : [`one of: ${choices.map(oneLine).join(', ')}`]),
      value === undefined ? 'needed' : `if left empty: ${oneLine(value)}`,
    ];
    return `## ${name}\n\n<!-- ${hints.join('; ').replaceAll('--', '- -')} -->\n\n`;
  });
  return [
    `${markOf(question)}\n`,
    `# ${oneLine(task)} (run ${run})\n\n`,
    `${waiting.text
      .split('\n')
      .map((line) => `> ${line}`.trimEnd())
      .join('\n')}\n\n`,
    'Put an x into one of the boxes, fill in what is asked for, and save.\n\n',
    '- [ ] approve\n- [ ] reject\n\n',
    '## note\n\n',
    ...inputs,
  ].join('');
}

function markOf({ run, task, waiting }: GateQuestion): string {
  return `<!-- switchyard-gate ${run} ${encodeURIComponent(task)} ${waiting.since} -->`;
}

/**
 * What a person has written. Strict: what is no answer to this very question is refused, with every fault and its line,
 * and nothing is guessed. Throws AppError E_REPLY_INVALID.
 */
export function readReply(text: string, file: string, question: GateQuestion): GateReply {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const faults: string[] = [];
  const fault = (line: number, what: string): unknown => faults.push(`${file}:${line}: ${what}`);
  if (lines[0]?.trim() !== markOf(question))
    throw invalid([
      `${file}:1: this is no answer to what ${question.task} asks now (its first line says which question it answers); move the file away and ask again`,
    ]);
  const boxes = readBoxes(lines, fault);
  const fields = readFields(lines, question, fault);
  const ticked = boxes.filter(({ isTicked }) => isTicked);
  if (ticked.length > 1) fault(ticked[1]?.line ?? 1, 'both boxes are ticked; leave the x in one of them');
  for (const word of ['approve', 'reject'] as const)
    if (boxes.filter((box) => box.word === word).length !== 1)
      fault(1, `the box \`- [ ] ${word}\` must be there once`);
  if (faults.length > 0) throw invalid(faults);
  const [answer] = ticked;
  if (answer === undefined) return { kind: 'open' };
  const { note = '', ...inputs } = fields;
  return { kind: 'answered', approve: answer.word === 'approve', note, inputs };
}

type Fault = (line: number, what: string) => unknown;

interface Box {
  readonly word: string;
  readonly isTicked: boolean;
  readonly line: number;
}

/** Boxes stand before the first field. */
function readBoxes(lines: readonly string[], fault: Fault): Box[] {
  const end = lines.findIndex((line) => line.startsWith('## '));
  return lines.slice(0, end === -1 ? undefined : end).flatMap((text, place) => {
    const found = /^\s*[-*+]\s*\[([^\]]*)\]\s*(.*?)\s*$/.exec(text);
    if (found === null) return [];
    const [, mark = '', word = ''] = found;
    if (!/^[ xX]?$/.test(mark)) fault(place + 1, `a box holds an x or nothing, not "${oneLine(mark)}"`);
    if (word !== 'approve' && word !== 'reject') {
      fault(place + 1, `"${oneLine(word)}" is no answer; the boxes are approve and reject`);
      return [];
    }
    return [{ word, isTicked: /x/i.test(mark), line: place + 1 }];
  });
}

/** What stands below each `## name`; comments do not count, and a field left empty is not given. */
function readFields(
  lines: readonly string[],
  { waiting }: GateQuestion,
  fault: Fault,
): Record<string, string> {
  const known = new Set(['note', ...(waiting.inputs ?? []).map(({ name }) => name)]);
  const fields = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const [place, line] of lines.entries()) {
    const name = /^## +(.*?) *$/.exec(line)?.[1];
    if (name === undefined) {
      current?.push(line);
      continue;
    }
    current = [];
    if (!known.has(name))
      fault(place + 1, `nothing is asked under "${oneLine(name)}", but ${[...known].join(', ')}`);
    else if (fields.has(name)) fault(place + 1, `"${name}" is there twice`);
    else fields.set(name, current);
  }
  const values = [...fields].map(([name, text]) => [name, plain(text)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ''));
}

function plain(lines: readonly string[]): string {
  return lines
    .join('\n')
    .replaceAll(/<!--[^]*?-->/g, '')
    .trim();
}

function invalid(faults: readonly string[]): AppError {
  return new AppError('E_REPLY_INVALID', faults.slice(0, 20).join('\n'));
}
