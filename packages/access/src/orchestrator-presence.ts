import { existsSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import type { StateFolder } from '@switchyard/runtime';
import { systemClock } from '@switchyard/runtime';
import { runningOrchestrator } from './repository-state.ts';

const pollMs = 250;
/** How long a supervisor may take to start an orchestrator again that has crashed. */
export const reappearMs = 60_000;

/**
 * Says when an orchestrator of this machine will not come back: it took its state file with it (it was asked to
 * end), or it died and nothing has started it again. It is looked for only while the connection is lost.
 */
export class OrchestratorPresence {
  /** Resolves with E_UNREACHABLE, or what it died of; never, as long as the connection comes back each time. */
  readonly gone: Promise<AppError>;
  private readonly folder: StateFolder;
  private readonly graceMs: number;
  private readonly death: () => AppError | undefined;
  private tell: (error: AppError) => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;
  private lostAt = 0;

  /** `death`: what one of our own died of, where that is known. */
  constructor(
    folder: StateFolder,
    graceMs: number = reappearMs,
    death: () => AppError | undefined = () => undefined,
  ) {
    this.folder = folder;
    this.graceMs = graceMs;
    this.death = death;
    this.gone = new Promise((resolve) => (this.tell = resolve));
  }

  lost(): void {
    if (this.timer !== undefined) return;
    this.lostAt = systemClock.monotonic();
    this.timer = setInterval(() => this.look(), pollMs);
  }

  found(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    if (runningOrchestrator(this.folder) !== undefined) return;
    const hasEnded = !existsSync(this.folder.orchestratorFile);
    if (!hasEnded && systemClock.monotonic() - this.lostAt < this.graceMs) return;
    this.found();
    const what = `the orchestrator ${hasEnded ? 'was ended' : 'has died'}`;
    this.tell(this.death() ?? new AppError('E_UNREACHABLE', what));
  }
}
