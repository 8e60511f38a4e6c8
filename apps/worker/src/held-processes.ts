import type { AgentProcess } from '@switchyard/agents';
import { startProcess, type ProcessAsked, type ProcessPlace } from './attempt-process.ts';

/**
 * What an executor has started in its attempt. Nothing of it may go on when the executor is done, whatever the executor
 * knows of it: it would write while the files are taken up, and outlive the attempt.
 */
export class HeldProcesses {
  private readonly place: ProcessPlace;
  private readonly over = new AbortController();
  private readonly held = new Set<Promise<unknown>>();

  constructor(place: ProcessPlace) {
    const signal = AbortSignal.any([place.signal, this.over.signal]);
    this.place = { ...place, signal };
  }

  async start(argv: readonly string[], asked: ProcessAsked): Promise<AgentProcess> {
    this.over.signal.throwIfAborted();
    const started = startProcess(argv, asked, this.place);
    const life = started.then(({ ended }) => ended);
    this.held.add(life);
    const forget = (): void => void this.held.delete(life);
    life.then(forget, forget);
    return started;
  }

  /** Ends what still runs, and resolves when it has ended. */
  async end(): Promise<void> {
    this.over.abort(new Error('its attempt is over'));
    // How each ended is for whoever started it.
    await Promise.allSettled(this.held);
  }
}
