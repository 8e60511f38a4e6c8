import { exitCodes } from '@switchyard/protocol';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first ctrl-C, SIGTERM or hang-up is told; a second one ends this process at once. */
export class Interrupt {
  readonly happened: Promise<'interrupted'>;
  /** SIGTERM comes from another process, ctrl-C from a person. */
  signal: NodeJS.Signals | undefined;
  private readonly onSignal: (signal: NodeJS.Signals) => void;

  constructor(beforeExit: () => void) {
    let tell: (what: 'interrupted') => void = () => undefined;
    this.happened = new Promise((resolve) => (tell = resolve));
    let count = 0;
    this.onSignal = (signal) => {
      count += 1;
      this.signal ??= signal;
      if (count === 1) return tell('interrupted');
      beforeExit();
      process.exit(exitCodes.interrupted.code);
    };
    for (const signal of signals) process.on(signal, this.onSignal);
  }

  close(): void {
    for (const signal of signals) process.off(signal, this.onSignal);
  }
}
