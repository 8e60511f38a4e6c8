import type { BenchSize } from './bench-size.ts';
import { runRecovery, type RecoveryFigures } from './recovery.ts';

/** How long a start takes with a long journal, as the lines of a table. */
export async function measureRecovery({ facts, rounds }: BenchSize): Promise<readonly string[]> {
  const ways = [
    ['all in a snapshot', facts, '< 1000'],
    ['three quarters in a snapshot', Math.floor((facts * 3) / 4), '< 1000'],
    ['from scratch', 0, '< 5000'],
  ] as const;
  const lines = [
    `A journal of ${facts} facts of one run, opened and folded by a fresh process; medians of ${rounds} rounds.`,
    'Opening checks every page and index of the file. A running orchestrator keeps a snapshot when a quarter is new.',
    '',
    row('', ['ms', 'of it open', 'CPU ms', 'folded', 'MB', 'goal']),
  ];
  for (const [name, inSnapshot, goal] of ways) {
    const all: RecoveryFigures[] = [];
    for (let round = 0; round < rounds; round += 1) all.push(await runRecovery({ facts, inSnapshot }));
    const figures = all.toSorted((a, b) => a.ms - b.ms)[Math.floor(rounds / 2)];
    if (figures === undefined) continue;
    const { ms, openMs, cpuMs, folded, journalBytes } = figures;
    const megabytes = (journalBytes / 1_000_000).toFixed(1);
    lines.push(
      row(name, [ms.toFixed(0), openMs.toFixed(0), cpuMs.toFixed(0), String(folded), megabytes, goal]),
    );
  }
  return lines;
}

function row(what: string, cells: readonly string[]): string {
  return [what.padEnd(30), ...cells.map((cell) => cell.padStart(10))].join(' ');
}
