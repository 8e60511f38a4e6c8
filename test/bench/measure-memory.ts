import type { BenchSize } from './bench-size.ts';
import { runMemory, type MemoryKind } from './memory.ts';

const told = 100_000;

/** What memory a run's tasks take in the orchestrator, as the lines of a table. */
export async function measureMemory({ memoryTasks }: BenchSize): Promise<readonly string[]> {
  const kinds: readonly (readonly [string, MemoryKind])[] = [
    ['the plan, as plain objects', 'plain'],
    ['a run that has begun', 'created'],
    ['a run that has ended', 'ended'],
    ['the same after a snapshot', 'archived'],
  ];
  const plain = await runMemory('plain', memoryTasks);
  const lines = [
    `What ${memoryTasks} tasks take, each in a process of its own after garbage collection, for ${told} tasks.`,
    'A run that has ended has its attempts, receipts and reviews, and its events as far as no snapshot has them.',
    '',
    row('', ['MB', 'bytes a task', 'of plain']),
  ];
  for (const [name, kind] of kinds) {
    const bytes = kind === 'plain' ? plain : await runMemory(kind, memoryTasks);
    const each = bytes / memoryTasks;
    lines.push(
      row(name, [((each * told) / 1_000_000).toFixed(1), each.toFixed(0), (bytes / plain).toFixed(2)]),
    );
  }
  return lines;
}

function row(what: string, cells: readonly string[]): string {
  return [what.padEnd(30), ...cells.map((cell) => cell.padStart(12))].join(' ');
}
