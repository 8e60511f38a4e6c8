import { runId } from '@switchyard/protocol';
import { MadeUpRun, seededRandom } from '@switchyard/testkit';
import type { MemoryKind } from './memory.ts';

/** A process of the bench that makes something of so many tasks, keeps it, and tells what memory that takes. */
const [kind, count] = process.argv.slice(2) as [MemoryKind, string];

function held(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** As many as a plan may have. */
const tasksAPlan = 10_000;

function make(tasks: number): unknown[] {
  const kept: unknown[] = [];
  for (let left = tasks; left > 0; left -= tasksAPlan) kept.push(makeRun(Math.min(left, tasksAPlan)));
  return kept;
}

function makeRun(tasks: number): unknown {
  const run = runId.parse('bench-abcdef');
  const world = new MadeUpRun({ run, tasks, random: seededRandom(1), trouble: 0.02 });
  if (kind === 'ended' || kind === 'archived') while (!world.ended) world.step();
  world.take();
  // As once a snapshot has them; nobody asks for them here.
  if (kind === 'archived') world.history.events.archived(world.history.events.length);
  // What came in as text: the least that a program has which knows its plan.
  if (kind === 'plain') return JSON.parse(JSON.stringify(world.history.state.plan));
  return world.history;
}

// The code itself, before anything is measured.
make(10);
const before = held();
const kept = make(Number(count));
const bytes = held() - before;
process.send?.({ bytes, runs: kept.length });
process.disconnect();
