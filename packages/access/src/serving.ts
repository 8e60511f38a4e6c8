import { AppError, limits } from '@switchyard/protocol';
import { systemClock, type StateFolder } from '@switchyard/runtime';
import { keptAwake } from './kept-awake.ts';
import { runningOrchestrator, type OrchestratorFile } from './repository-state.ts';

const pollMs = 30;
/** A drain may take its time, and what is closed after it a little more. */
const patienceMs = limits.drainMs + 2_000;

/**
 * The orchestrator of a state folder that takes work; undefined: none runs. One that is ending is waited for, since what
 * it is given now would lie in the journal until somebody starts the next. Throws AppError E_STATE_LOCKED where it does
 * not end.
 */
export async function servingOrchestrator(folder: StateFolder): Promise<OrchestratorFile | undefined> {
  const deadline = systemClock.monotonic() + patienceMs;
  for (;;) {
    const running = runningOrchestrator(folder);
    if (running === undefined || !running.draining) return running;
    if (systemClock.monotonic() > deadline)
      throw new AppError(
        'E_STATE_LOCKED',
        `process ${running.pid} is ending as the orchestrator of this repository, and has not ended within ${patienceMs / 1000} s; its log is in ${folder.logs}`,
      );
    await keptAwake(pollMs);
  }
}
