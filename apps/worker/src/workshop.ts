import { makeFolder } from '@switchyard/runtime';
import { Attempt } from './attempt.ts';
import { findHeld } from './held-attempt.ts';
import type { AttemptPorts, WorkerPorts } from './ports.ts';

/** Fits a worker whose attempts are carried out on this machine. */
export function onThisMachine(ports: AttemptPorts & Omit<WorkerPorts, 'workshop'>): WorkerPorts {
  return {
    ...ports,
    workshop: {
      async findHeld(isReported) {
        await makeFolder(ports.attempts, 0o700);
        return findHeld(ports, isReported);
      },
      perform: (assignment, context) => new Attempt(assignment, ports, context).perform(),
    },
  };
}
