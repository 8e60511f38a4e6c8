import type { BenchSize } from './bench-size.ts';
import { runBareLoop, type LoopFigures } from './bare-loop.ts';
import { runOurLoop } from './our-loop.ts';

type Measure = (figures: LoopFigures) => number;
const tasksPerSecond: Measure = ({ tasks, wallMs }) => (tasks / wallMs) * 1_000;
const wallUs: Measure = ({ tasks, wallMs }) => (wallMs / tasks) * 1_000;
const cpuUs: Measure = ({ tasks, cpuMs }) => (cpuMs / tasks) * 1_000;
const afterSubmission =
  (measure: Measure): Measure =>
  (figures) =>
    measure({
      ...figures,
      wallMs: figures.wallMs - figures.submission.wallMs,
      cpuMs: figures.cpuMs - figures.submission.cpuMs,
    });
const commitsEach: Measure = ({ tasks, commits }) => commits / tasks;

/** The orchestrator beside a bare loop of the same shape, as the lines of a table. */
export async function compareLoops({ tasks, hops, slots, rounds }: BenchSize): Promise<readonly string[]> {
  const wide = await inTurn({ tasks, slots, chain: false }, rounds);
  const chain = await inTurn({ tasks: hops, slots, chain: true }, rounds);
  return [
    `No-op tasks, two worker processes of ${slots} slots; medians of ${rounds} rounds, bare and ours in turn, after one of each that is not counted.`,
    'Ours: the real loop, scheduler, hub, journal, log and metrics, links and outboxes; without executors,',
    'workspaces, git, reviews and verification. Commits are transactions of the journal with synchronous FULL.',
    '',
    row('', ['bare', 'ours', 'ours/bare', 'goal']),
    compare(`tasks/s (${tasks} tasks)`, wide, { measure: tasksPerSecond, goal: '>= 0.3' }),
    compare('  once the plan is taken', wide, { measure: afterSubmission(tasksPerSecond), goal: '' }),
    compare('orchestrator CPU, µs a task', wide, { measure: cpuUs, goal: '<= 3' }),
    compare('  once the plan is taken', wide, { measure: afterSubmission(cpuUs), goal: '' }),
    compare(`µs a hop (chain of ${hops})`, chain, { measure: wallUs, goal: '<= 1.6' }),
    compare('commits a hop', chain, { measure: commitsEach, goal: '1' }),
  ];
}

interface Pair {
  readonly bare: readonly LoopFigures[];
  readonly ours: readonly LoopFigures[];
}

/**
 * Bare, ours, bare, ours …, so that what else the machine does meets both. A pass of each comes first and is not
 * counted: a daemon that has run for a second has compiled what it runs.
 */
async function inTurn(request: Parameters<typeof runBareLoop>[0], rounds: number): Promise<Pair> {
  const bare: LoopFigures[] = [];
  const ours: LoopFigures[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const pair = [await runBareLoop(request), await runOurLoop(request)] as const;
    if (round === 0) continue;
    bare.push(pair[0]);
    ours.push(pair[1]);
  }
  return { bare, ours };
}

function compare(what: string, pair: Pair, { measure, goal }: { measure: Measure; goal: string }): string {
  const bare = median(pair.bare.map(measure));
  const ours = median(pair.ours.map(measure));
  return row(what, [shown(bare), shown(ours), (ours / bare).toFixed(3), goal]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function shown(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(2);
}

function row(what: string, cells: readonly string[]): string {
  return [what.padEnd(30), ...cells.map((cell) => cell.padStart(10))].join(' ').trimEnd();
}
