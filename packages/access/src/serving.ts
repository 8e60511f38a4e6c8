import { AppError, limits } from '@switchyard/protocol';
import { systemClock, type StateFolder } from '@switchyard/runtime';
import { keptAwake } from './kept-awake.ts';
import { runningOrchestrator, type OrchestratorFile } from './repository-state.ts';

const pollMs = 30;
/** A drain may take its time, and what is closed after it a little more. */
const drainPatienceMs = limits.drainMs + 2_000;
/** An `apply` or `rollback` verifies what it makes before it is through. */
const lookPatienceMs = 600_000;
const tellAfterMs = 2_000;

/** What an orchestrator is wanted for. */
export interface ServingNeed {
  /** To work: one that was started for a look has no workers, and its end is waited for as well. */
  readonly toWork?: boolean;
  /** Told once, when the wait is long enough to be noticed. */
  readonly waiting?: ((text: string) => void) | undefined;
}

/**
 * The orchestrator of a state folder that takes work; undefined: none runs. One that is ending is waited for, since what
 * it is given now would lie in the journal until somebody starts the next. Throws AppError E_STATE_LOCKED where it does
 * not end.
 */
export async function servingOrchestrator(
  folder: StateFolder,
  { toWork = false, waiting }: ServingNeed = {},
): Promise<OrchestratorFile | undefined> {
  let since = systemClock.monotonic();
  let isTold = false;
  let wasDraining = false;
  for (;;) {
    const running = runningOrchestrator(folder);
    if (running === undefined || (!running.draining && !(toWork && running.looking))) return running;
    // The end has a time of its own, however long the look took.
    if (running.draining !== wasDraining) since = systemClock.monotonic();
    wasDraining = running.draining;
    const waitedMs = systemClock.monotonic() - since;
    if (waitedMs > (running.draining ? drainPatienceMs : lookPatienceMs)) throw notEnded(running, folder);
    if (!isTold && waitedMs > tellAfterMs) {
      isTold = true;
      waiting?.(`waiting for process ${running.pid}, ${whatIs(running)}, to end`);
    }
    await keptAwake(pollMs);
  }
}

function whatIs({ draining }: OrchestratorFile): string {
  return draining
    ? 'which is ending as the orchestrator of this repository'
    : 'the orchestrator that another command has started for itself alone';
}

function notEnded(running: OrchestratorFile, { logs }: StateFolder): AppError {
  const patienceMs = running.draining ? drainPatienceMs : lookPatienceMs;
  return new AppError(
    'E_STATE_LOCKED',
    `process ${running.pid}, ${whatIs(running)}, has not ended within ${patienceMs / 1000} s; its log is in ${logs}`,
  );
}
