import { stripVTControlCharacters } from 'node:util';
import {
  howItEnded,
  isPassed,
  shellWord,
  type AttemptReport,
  type Receipt,
  type RunReport,
  type TaskView,
} from '@switchyard/protocol';
import { reasonText } from './live-view.ts';
import { lookOf } from './phase-look.ts';
import { findingLines } from './run-summary.ts';
import { durationText, foldText, oneLine, plainLines } from './show-text.ts';
import type { Painter } from './terminal.ts';

interface TriedTask {
  readonly run: string;
  readonly task: TaskView;
  readonly tried: RunReport['tasks'][number];
}

interface Look {
  readonly paint: Painter;
  /** Where lines are folded. */
  readonly width: number;
}

const filesShown = 20;

/** `run show RUN --task TASK`: each attempt with the end of what it printed, its acceptance commands and its reviews. */
export function taskLines({ run, task, tried }: TriedTask, look: Look): string[] {
  const { paint, width } = look;
  const [glyph, colour] = lookOf(task.phase);
  // Its last attempt says itself why it failed.
  const isTold = task.phase === 'completed' || tried.attempts.at(-1)?.failure !== undefined;
  const reason = isTold ? '' : reasonText(task);
  const head = [oneLine(task.id), task.phase, reason].filter(Boolean).join('  ');
  const log = `switchyard logs --run ${run} --task ${shellWord(oneLine(task.id))}`;
  return [
    ...foldText(head, width - 2).map((line, at) => `${at === 0 ? paint[colour](glyph) : ' '} ${line}`),
    ...changedLines(tried.filesChanged),
    ...(tried.attempts.length === 0 ? ['', 'nothing was tried with it yet'] : []),
    ...tried.attempts.flatMap((attempt) => ['', ...attemptLines(attempt, look)]),
    '',
    paint.gray(`its log: ${log}`),
  ];
}

function changedLines(files: readonly string[]): string[] {
  const more = files.length > filesShown ? [`  … and ${files.length - filesShown} more`] : [];
  return [...files.slice(0, filesShown).map((file) => `  ${oneLine(file)}`), ...more];
}

function attemptLines(attempt: AttemptReport, { paint, width }: Look): string[] {
  const { endedAt, leasedAt, round, commit, failure, receipts, reviews } = attempt;
  const facts = [
    attempt.outcome,
    attempt.worker,
    ...(endedAt === undefined ? [] : [durationText(endedAt - leasedAt)]),
    ...(round > 1 ? [`round ${round}`] : []),
    ...(commit === undefined ? [] : [`commit ${commit.slice(0, 10)}`]),
  ];
  const why = failure === undefined ? '' : `${failure.code}: ${oneLine(failure.message)}`;
  return [
    paint.bold(`attempt ${attempt.attempt}: ${facts.join(', ')}`),
    ...(why === '' ? [] : indented(foldText(why, width - 2)).map(paint.red)),
    ...outputLines(attempt.outputTail ?? failure?.outputTail ?? '', paint),
    ...receipts.flatMap((receipt) => receiptLines(receipt, { paint, width })),
    ...reviews.flatMap((review) => reviewLines(review, width)),
  ];
}

function receiptLines(receipt: Receipt, { paint, width }: Look): string[] {
  const sign = isPassed(receipt) ? paint.green('✔') : paint.red('✖');
  const text = `${oneLine(howItEnded(receipt))}, ${durationText(receipt.durationMs)}`;
  const [first = '', ...more] = foldText(text, width - 4);
  return [`  ${sign} ${first}`, ...indented(indented(more)), ...outputLines(receipt.outputTail, paint)];
}

function reviewLines(review: AttemptReport['reviews'][number], width: number): string[] {
  const by = review.reviewer === undefined ? '' : ` by ${review.reviewer}`;
  const said = review.feedback === '' ? '' : `: ${oneLine(review.feedback)}`;
  return [
    ...indented(foldText(`${review.specialization} review${by} ${review.outcome}${said}`, width - 2)),
    ...indented(review.findings.flatMap(findingLines)),
  ];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** What others printed, behind a bar: no line of it can pass for one of ours, or move the cursor. */
function outputLines(output: string, paint: Painter): string[] {
  const text = stripVTControlCharacters(output).trimEnd();
  if (text === '') return [];
  return text.split(/\r?\n/u).map((line) => paint.gray(`  │ ${plainLines(line)}`.trimEnd()));
}
