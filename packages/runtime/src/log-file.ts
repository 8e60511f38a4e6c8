/// <reference path="./pino-roll.d.ts" />
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { messageOf } from '@switchyard/protocol';
import type openRoll from 'pino-roll';
import type { LineSink } from './turn-lines.ts';

type RolledFile = Awaited<ReturnType<typeof openRoll>>;

export interface LogFileOptions {
  /** Numbered by rotation: `<name>.1.ndjson`, `.2.ndjson` … */
  readonly path: string;
  /** The file is written again, and lacks so many lines; called in the middle of a turn. */
  readonly onRecovered: (missingLines: number) => void;
}

/** So many characters wait for a file that is slow or cannot be written; lines beyond are lost and counted. */
const waitingMax = 8 * 1_024 * 1_024;

/**
 * A daemon's log file, rotated by pino-roll (10 MB, five kept), which a full disk does not end:
 *
 *   write ──> waiting (bounded) ──> in hand (what the stream writes) ──> file
 *
 * 1. The stream has one text at a time, so that after an error it is known to the byte what the file lacks. The stream
 *    goes on with that byte: no line is torn while the process lives.
 * 2. No call throws, and none waits: the stream's own `flushSync` would, for as long as the disk is full.
 * 3. While it cannot be written, each line that comes is the occasion of another try.
 */
export class LogFile implements LineSink {
  private waiting = '';
  private inHand = '';
  /** Bytes of what is in hand that are in the file. */
  private written = 0;
  /** What is in hand waits for another try: the stream does nothing. */
  private isStuck = false;
  /** Said on standard error, and to be told in the log as soon as it is written again. */
  private isFailing = false;
  private missingLines = 0;
  private isClosed = false;
  private closing: Promise<void> | undefined;
  /** The file that is written. */
  private file: string;
  /** The last file of the stream that was opened, or could not be. */
  private settledFile: string;

  private readonly stream: RolledFile;
  private readonly onRecovered: LogFileOptions['onRecovered'];
  private readonly onReady = (): void => {
    this.file = this.settledFile = this.stream.file;
  };

  private constructor(stream: RolledFile, onRecovered: LogFileOptions['onRecovered']) {
    this.stream = stream;
    this.onRecovered = onRecovered;
    this.file = this.settledFile = stream.file;
    if (!endsWithLine(this.file)) this.waiting = '\n';
    stream.on('write', (bytes: number) => (this.written += bytes));
    stream.on('drain', () => this.onDrain());
    stream.on('ready', this.onReady);
    stream.on('error', (error: NodeJS.ErrnoException) => this.onError(error));
  }

  /** Rejects with the system's error where the file cannot be opened. */
  static async open({ path, onRecovered }: LogFileOptions): Promise<LogFile> {
    // Hundreds of files that a program without a log file need not read.
    const { default: buildRoll } = await import('pino-roll');
    const stream = await buildRoll({
      file: path,
      size: '10m',
      limit: { count: 5, removeOtherLogFiles: true },
      symlink: false,
      mkdir: true,
    });
    await once(stream, 'ready');
    return new LogFile(stream, onRecovered);
  }

  write(text: string): void {
    if (this.isClosed) return;
    if (this.waiting !== '' && this.waiting.length + text.length > waitingMax) this.lose(text);
    else this.waiting += text;
    if (this.isStuck) this.tryAgain();
    else this.handOver();
  }

  /**
   * Writes what waits and `text` in one try, for a process that exits. What the stream is writing is written by a thread
   * for which Node waits.
   */
  writeLast(text: string): void {
    const unwritten = this.isStuck ? Buffer.from(this.inHand).subarray(this.written) : Buffer.alloc(0);
    const last = Buffer.concat([unwritten, Buffer.from(this.waiting + text)]);
    this.waiting = '';
    if (last.length === 0) return;
    try {
      writeSync(this.stream.fd, last);
    } catch {
      // There is no later try, and whoever exits says why by himself.
    }
  }

  /** Writes what waits, as far as that goes, and closes the file; lines that come later are lost. */
  close(): Promise<void> {
    this.isClosed = true;
    this.closing ??= new Promise((resolve) => {
      this.stream.once('close', resolve);
      this.stream.on('error', () => {
        // That was the closing itself.
        if (this.stream.destroyed) return resolve();
        if (!this.isStuck) return;
        this.writeLast('');
        this.stream.destroy();
      });
      if (this.isStuck) this.tryAgain();
      else this.handOver();
      this.endWhenDone();
    });
    return this.closing;
  }

  /** Where it still has something to do, `drain` comes; one that ends on the way to its next file never closes. */
  private endWhenDone(): void {
    if (this.inHand !== '' || this.waiting !== '' || this.isOpening()) return;
    this.stream.end();
  }

  private handOver(): void {
    // A text that came while the next file is opened would be neither written nor known to be unwritten.
    if (this.isOpening() || this.inHand !== '' || this.waiting === '') return;
    this.inHand = this.waiting;
    this.waiting = '';
    this.written = 0;
    this.stream.write(this.inHand);
  }

  private isOpening(): boolean {
    return this.stream.file !== this.settledFile;
  }

  /** The stream takes up what it has kept with the next write, of nothing, too. */
  private tryAgain(): void {
    this.isStuck = false;
    this.stream.write('');
  }

  private onDrain(): void {
    this.inHand = '';
    if (this.isFailing && !this.isClosed) this.recover();
    this.handOver();
    if (this.isClosed) this.endWhenDone();
  }

  private onError(error: NodeJS.ErrnoException): void {
    switch (error.syscall) {
      case 'write':
        this.isStuck = true;
        return this.fail(messageOf(error));
      case 'mkdir':
      case 'open':
        return this.goOnUnrotated(error);
      default:
        // An old file that could not be closed or removed.
        return tell(`warning: the log ${this.file} is not rotated as it should be: ${messageOf(error)}\n`);
    }
  }

  /** pino-roll tries again after another 10 MB. */
  private goOnUnrotated(error: Error): void {
    tell(`warning: the log goes on in ${this.file}, no new file could be begun: ${messageOf(error)}\n`);
    // The stream's one that closes the file which it now goes on with; the next file would close it a second time.
    this.stream.removeAllListeners('ready');
    this.stream.on('ready', this.onReady);
    this.settledFile = this.stream.file;
    this.isStuck = true;
    if (!this.isClosed) this.tryAgain();
  }

  private lose(text: string): void {
    this.fail(`more than ${waitingMax} characters wait for it`);
    this.missingLines += text.split('\n').length - 1;
  }

  private recover(): void {
    const { missingLines } = this;
    this.isFailing = false;
    this.missingLines = 0;
    this.onRecovered(missingLines);
  }

  private fail(reason: string): void {
    if (!this.isFailing)
      tell(`warning: the log ${this.file} cannot be written: ${reason}; lines wait, and some may get lost\n`);
    this.isFailing = true;
  }
}

function tell(text: string): void {
  // Standard error may be a file on the same disk, or a pipe that nobody reads.
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined);
  process.stderr.write(text);
}

/** Whether the next line begins at the start of one: a process that was ended on a full disk left half a line. */
function endsWithLine(file: string): boolean {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1, '\n');
    if (size > 0) readSync(fd, last, 0, 1, size - 1);
    return last.toString() === '\n';
  } finally {
    closeSync(fd);
  }
}
