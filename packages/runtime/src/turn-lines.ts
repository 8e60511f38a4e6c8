/** Where lines end up. */
export interface LineSink {
  write(text: string): unknown;
  /** As `write`, with all that it holds before it returns, for a process that exits; absent: `write` does so then. */
  writeLast?(text: string): void;
}

/** So many lines do not wait for the end of the turn. */
const linesMax = 1_000;

/** Between two writes of a daemon that is never idle: each wakes a thread, which the next message would wait for. */
const pauseMs = 10;

/**
 * Gathers the lines of one turn of the event loop into one write, those of a busy daemon's turns within 10 ms: a turn
 * has hundreds, and the file below copies all that waits for each (profile of `npm run bench -- loop`). A process that
 * exits writes what waits.
 */
export class TurnLines {
  private lines: string[] = [];
  private isClosed = false;
  /** Of the monotonic clock. */
  private flushedAt = -Infinity;
  private readonly sinks: readonly LineSink[];
  private readonly tap: ((line: string) => void) | undefined;
  private readonly onExit = (): void => {
    const text = this.take();
    for (const sink of this.sinks) {
      if (sink.writeLast !== undefined) sink.writeLast(text);
      else if (text !== '') sink.write(text);
    }
  };

  /** `tap` gets every line at once. */
  constructor(sinks: readonly LineSink[], tap?: (line: string) => void) {
    this.sinks = sinks;
    this.tap = tap;
    process.on('exit', this.onExit);
  }

  write(line: string): void {
    this.tap?.(line);
    this.lines.push(line);
    if (this.isClosed) this.flush();
    else if (this.lines.length === 1) this.schedule();
    else if (this.lines.length >= linesMax) this.flush();
  }

  /** Hands what waits to the sinks now; asked for by pino behind a fatal line. */
  flushSync(): void {
    this.flush();
  }

  /** Hands what waits to the sinks; lines that come later are handed on as they come. */
  close(): void {
    this.isClosed = true;
    this.flush();
    process.off('exit', this.onExit);
  }

  private schedule(): void {
    const waitMs = this.flushedAt + pauseMs - performance.now();
    if (waitMs > 0) setTimeout(() => this.flush(), waitMs);
    else setImmediate(() => this.flush());
  }

  private flush(): void {
    const text = this.take();
    if (text === '') return;
    this.flushedAt = performance.now();
    for (const sink of this.sinks) sink.write(text);
  }

  private take(): string {
    const text = this.lines.join('');
    this.lines = [];
    return text;
  }
}
