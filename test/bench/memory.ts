import { fork } from 'node:child_process';
import { ownProcess } from '@switchyard/runtime';

/** What is kept: the plan as plain objects, the run that was made of it, or the run at its end, before or after a snapshot. */
export type MemoryKind = 'plain' | 'created' | 'ended' | 'archived';

/** What memory that takes, in bytes, in a process of its own after its garbage is gone. */
export function runMemory(kind: MemoryKind, tasks: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const { entry, execArgv } = ownProcess(new URL('./memory-process.ts', import.meta.url));
    const child = fork(entry, [kind, String(tasks)], { execArgv: [...execArgv, '--expose-gc'] });
    child.once('message', (message) => resolve((message as { bytes: number }).bytes));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
  });
}
