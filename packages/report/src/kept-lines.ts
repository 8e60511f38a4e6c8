import { shellWord, type AttemptReport, type KeptKind, type TaskView } from '@switchyard/protocol';
import { oneLine } from './plain-text.ts';

/** A line on kept work: what it is, and the command that shows it. */
export interface KeptLine {
  readonly text: string;
  readonly command?: string;
}

const names: Readonly<Record<KeptKind, string>> = { salvage: 'late result', wip: 'work in progress' };

/** What an attempt went on from, and what is kept of it beside its result. */
export function keptLines(run: string, { id }: Pick<TaskView, 'id'>, attempt: AttemptReport): KeptLine[] {
  const { resumedFrom } = attempt;
  const kept = (['salvage', 'wip'] as const).filter((kind) => attempt[kind] !== undefined);
  return [
    ...(resumedFrom === undefined
      ? []
      : [{ text: `Went on from the ${names[resumedFrom.kind]} of attempt ${resumedFrom.attempt}` }]),
    ...kept.map((kind) => ({
      text: `Its ${names[kind]} is kept; to see it:`,
      command: `switchyard salvage show ${run} ${shellWord(oneLine(id))} --attempt ${attempt.attempt} --kind ${kind}`,
    })),
  ];
}
