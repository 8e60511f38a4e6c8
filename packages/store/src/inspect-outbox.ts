import { readFileSync } from 'node:fs';
import { readOutbox } from './outbox-file.ts';
import { observedError, type Observation } from './observation.ts';

/** Looks at an outbox without changing it. `name`: whose it is. */
export function inspectOutbox(file: string, name: string): Observation {
  try {
    const { pending, tornBytes } = readOutbox(readFileSync(file), file);
    const waiting =
      pending === 0 ? 'empty' : `${pending} reports wait for the orchestrator; they are sent when it runs`;
    if (tornBytes === 0) return { name, state: pending === 0 ? 'ok' : 'note', text: waiting };
    return {
      name,
      state: 'note',
      text: `${waiting}; it ends in ${tornBytes} bytes of a record that is not whole`,
      mend: 'nothing to do: the next start drops them, since nothing was said of that record',
    };
  } catch (thrown) {
    return observedError(name, thrown, file);
  }
}
