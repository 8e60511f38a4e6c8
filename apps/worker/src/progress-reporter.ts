import type { AttemptKey, AttemptViolation, PayloadInput } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';

/** At most four progress messages a second for each attempt. */
const intervalMs = 250;
/** Violations that one message carries. */
const violationsMax = 20;

type Phase = PayloadInput<'task-progress'>['phase'];

/** Tells where an attempt stands: the newest word wins, older ones that had no time to leave are dropped. */
export class ProgressReporter {
  private phase: Phase = 'preparing';
  private message: string | undefined;
  /** Not yet told; these are never dropped for a newer word. */
  private violations: AttemptViolation[] = [];
  private waiting: (() => void) | undefined;
  private lastMs = Number.NEGATIVE_INFINITY;
  private readonly attempt: AttemptKey;
  private readonly clock: Clock;
  private readonly send: (payload: PayloadInput<'task-progress'>) => void;

  constructor(attempt: AttemptKey, clock: Clock, send: (payload: PayloadInput<'task-progress'>) => void) {
    this.attempt = attempt;
    this.clock = clock;
    this.send = send;
  }

  enter(phase: Phase): void {
    this.phase = phase;
    this.message = undefined;
    this.schedule();
  }

  say(message: string): void {
    this.message = message.slice(0, 500);
    this.schedule();
  }

  /** Tells what the audit found. */
  found(violations: readonly AttemptViolation[]): void {
    this.violations.push(...violations);
    this.schedule();
  }

  /** Drops what waits. */
  close(): void {
    this.waiting?.();
    this.waiting = undefined;
  }

  private schedule(): void {
    if (this.waiting !== undefined) return;
    const delayMs = Math.max(0, this.lastMs + intervalMs - this.clock.monotonic());
    this.waiting = this.clock.after(delayMs, () => this.flush());
  }

  private flush(): void {
    this.waiting = undefined;
    this.lastMs = this.clock.monotonic();
    this.send({
      ...this.attempt,
      phase: this.phase,
      ...(this.message !== undefined && { message: this.message }),
      ...(this.violations.length > 0 && { violations: this.violations.splice(0, violationsMax) }),
    });
    if (this.violations.length > 0) this.schedule();
  }
}
