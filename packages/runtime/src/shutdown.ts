import type { Logger } from './log.ts';

type Step = () => Promise<void> | void;

/**
 * Ends a process in order: steps run last-added first, once, each awaited; the first signal starts it, a second
 * one ends at once, and a deadline ends a step that hangs.
 */
export class Shutdown {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly steps: { name: string; step: Step }[] = [];
  private running: Promise<void> | undefined;
  private readonly logger: Logger;
  private readonly deadlineMs: number;

  constructor(logger: Logger, deadlineMs: number) {
    this.logger = logger;
    this.deadlineMs = deadlineMs;
    this.signal = this.controller.signal;
  }

  /** Adds a step to run at the end. */
  add(name: string, step: Step): void {
    this.steps.push({ name, step });
  }

  /** Starts on SIGINT, SIGTERM and SIGHUP; exits with 130 for SIGINT, else with 0. */
  onSignals(): void {
    let count = 0;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        count += 1;
        if (count > 1) process.exit(130);
        void this.run(name).then(() => process.exit(name === 'SIGINT' ? 130 : 0));
      });
    }
  }

  /**
   * Starts also when standard input is closed, and exits with 0: whoever started this process held the other end and
   * is gone, however it went.
   */
  onInputClosed(input: NodeJS.ReadableStream = process.stdin): void {
    const end = (): void => void this.run('standard input was closed').then(() => process.exit(0));
    input.once('end', end);
    // A read that fails says the same.
    input.once('error', end);
    input.resume();
  }

  /** Runs all steps; every call gets the same end. */
  run(reason: string): Promise<void> {
    this.running ??= this.perform(reason);
    return this.running;
  }

  private async perform(reason: string): Promise<void> {
    this.logger.info({ reason }, 'shutting down');
    this.controller.abort(new Error(`shutting down: ${reason}`));
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, this.deadlineMs, 'late');
    });
    for (const { name, step } of this.steps.reverse()) {
      try {
        const ended = await Promise.race([Promise.resolve(step()).then(() => 'done' as const), deadline]);
        if (ended === 'late') {
          this.logger.warn({ step: name, deadlineMs: this.deadlineMs }, 'shutdown step did not end in time');
          break;
        }
      } catch (error) {
        this.logger.error({ step: name, err: error }, 'shutdown step failed');
      }
    }
    clearTimeout(timer);
  }
}
