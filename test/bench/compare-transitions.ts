import type { BenchSize } from './bench-size.ts';
import { runOurTransitions, runRawTransitions, type TransitionFigures } from './transitions.ts';

const inATurn = 50;

/** Transitions beside raw libSQL that does the same, as the lines of a table. */
export async function compareTransitions({ tasks, rounds }: BenchSize): Promise<readonly string[]> {
  const lines = [
    `Transitions of attempts: fence checked, state changed and event kept; medians of ${rounds} rounds, raw and ours in turn.`,
    'Raw: libSQL with WAL and synchronous FULL, a select, an update and an insert each. Ours: decide, evolve and events of',
    'the scheduler, and the journal with its checksums, its fence and its mark.',
    '',
    row('transitions/s', ['raw', 'ours', 'ours/raw', 'goal']),
  ];
  for (const together of [1, inATurn]) {
    // An fsync each takes its time.
    const request = { transitions: together === 1 ? Math.ceil(tasks / 4) : tasks, together };
    const [raw, ours]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      raw.push(aSecond(await runRawTransitions(request)));
      ours.push(aSecond(await runOurTransitions(request)));
    }
    const [theirs, mine] = [median(raw), median(ours)];
    const name = together === 1 ? 'one a transaction' : `${together} a transaction`;
    lines.push(row(name, [theirs.toFixed(0), mine.toFixed(0), (mine / theirs).toFixed(3), '>= 0.35']));
  }
  return lines;
}

function aSecond({ transitions, wallMs }: TransitionFigures): number {
  return (transitions / wallMs) * 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, cells: readonly string[]): string {
  return [what.padEnd(30), ...cells.map((cell) => cell.padStart(10))].join(' ');
}
