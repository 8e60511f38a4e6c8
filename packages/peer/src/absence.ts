import type { Clock } from '@switchyard/runtime';

export interface AbsenceOptions {
  readonly clock: Clock;
  /** How long the orchestrator may stay away; undefined: for ever. */
  readonly giveUpMs?: number | undefined;
  /** Ends the peer. */
  readonly stop: (reason: string) => void;
}

/** A peer that was started on demand ends when its orchestrator stays away. */
export class Absence {
  private readonly options: AbsenceOptions;
  private cancel: (() => void) | undefined;
  private isOver = false;

  constructor(options: AbsenceOptions) {
    this.options = options;
  }

  /** The orchestrator is not there, from now on. */
  begin(): void {
    const { clock, giveUpMs, stop } = this.options;
    this.end();
    if (giveUpMs === undefined || this.isOver) return;
    this.cancel = clock.after(giveUpMs, () => stop(`no orchestrator for ${giveUpMs / 1000} s`));
  }

  /** It is there again. */
  end(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  /** The peer ends anyway; nobody waits for the orchestrator any more. */
  close(): void {
    this.isOver = true;
    this.end();
  }
}
