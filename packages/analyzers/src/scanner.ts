import { AppError } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import { lintRulesFor } from './lint/security-rules.ts';
import { ScanChild, type ScanOutcome, type StartScan } from './scan-child.ts';
import type { ScanJob } from './scan-protocol.ts';
import { readSource } from './source-file.ts';

/** One file to look at: its text, or where it lies. */
export interface Scan extends Omit<ScanJob, 'id' | 'text'> {
  readonly root: string;
  readonly text?: string;
}

/** Runs scans; those of one tree one after the other, in a process that is killed when a file takes too long. */
export interface Scanner {
  /** Throws AppError E_SANDBOX when the process cannot be started. */
  scan(job: Scan, signal: AbortSignal): Promise<ScanOutcome>;
  close(): Promise<void>;
}

export interface ScannerOptions {
  /** How the scan process is held; it parses what strangers wrote. */
  readonly start: StartScan;
  readonly fileTimeMs?: number;
  /** One process for all trees: they come from one hand, such as the cases of a test. */
  readonly isShared?: boolean;
}

/**
 * Opens a scanner; a process starts with the first job of a tree, and ends when idle. No two trees share one: a file
 * that takes its process over would otherwise answer for the files of another review.
 */
export function createScanner(options: ScannerOptions): Scanner {
  const trees = new Map<string, TreeScanner>();
  let closed = false;
  return {
    scan(job, signal) {
      if (closed) return Promise.reject(new AppError('E_CANCELLED', 'the scanner is closed'));
      const key = options.isShared === true ? '' : job.root;
      const tree = trees.get(key) ?? new TreeScanner(options, () => trees.delete(key));
      trees.set(key, tree);
      return tree.scan(job, signal);
    },
    async close() {
      closed = true;
      await Promise.all([...trees.values()].map((tree) => tree.close()));
    },
  };
}

class TreeScanner {
  private readonly options: ScannerOptions;
  private readonly forget: () => void;
  private child: ScanChild | undefined;
  /** The child that has its linter. */
  private linting: ScanChild | undefined;
  private idle: NodeJS.Timeout | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private lastId = 0;

  /** `forget` is called once it rests. */
  constructor(options: ScannerOptions, forget: () => void) {
    this.options = options;
    this.forget = forget;
  }

  scan(job: Scan, signal: AbortSignal): Promise<ScanOutcome> {
    clearTimeout(this.idle);
    const result = this.queue.then(() => this.perform(job, signal));
    // The next job waits for this one, however it ends; who asked for this one hears of its error.
    const settled = result
      .catch(() => undefined)
      .then(() => {
        if (this.queue === settled)
          this.idle = setTimeout(() => this.rest(), analyzerLimits.scanIdleMs).unref();
      });
    this.queue = settled;
    return result;
  }

  async close(): Promise<void> {
    clearTimeout(this.idle);
    this.end('it is no longer needed');
    await this.queue;
    clearTimeout(this.idle);
  }

  private async perform({ root, ...scan }: Scan, signal: AbortSignal): Promise<ScanOutcome> {
    signal.throwIfAborted();
    this.lastId += 1;
    const id = this.lastId;
    const source = scan.text === undefined ? await readSource(root, scan.path) : textOf(scan.text);
    if (source.kind === 'too-large') return { id, kind: 'skipped', reason: `it has ${source.bytes} bytes` };
    if (source.kind !== 'text' || isPointless(scan, source.text)) return { id, kind: 'found', findings: [] };
    const child = await this.started(signal);
    if (scan.scan === 'lint') await this.loadLinter(child, signal);
    const timeMs = this.options.fileTimeMs ?? analyzerLimits.fileTimeMs;
    const outcome = await child.ask({ ...scan, id, text: source.text }, { signal, timeMs });
    const spent = id % analyzerLimits.scansPerProcess === 0;
    if (spent || outcome.kind === 'timed-out' || outcome.kind === 'crashed') this.end('it is replaced');
    signal.throwIfAborted();
    return outcome;
  }

  private async started(signal: AbortSignal): Promise<ScanChild> {
    if (this.child?.isAlive !== true) this.child = await ScanChild.start(this.options.start, signal);
    return this.child;
  }

  /** Not in the time of a file, which would else look hostile on a machine that is busy. */
  private async loadLinter(child: ScanChild, signal: AbortSignal): Promise<void> {
    if (this.linting === child) return;
    const job: ScanJob = { id: 0, scan: 'load-linter', specializations: [], path: '', text: '' };
    const outcome = await child.ask(job, { signal, timeMs: analyzerLimits.scanStartMs });
    if (outcome.kind === 'found') this.linting = child;
    else {
      this.end('it is replaced');
      signal.throwIfAborted();
      throw new AppError('E_INTERNAL', `The linter does not start: ${howItEnded(outcome)}`);
    }
  }

  private rest(): void {
    this.end('it has nothing to do');
    this.forget();
  }

  private end(reason: string): void {
    this.child?.kill(reason);
    this.child = undefined;
  }
}

/** Most files have nothing for the linter: they are not worth its start. */
function isPointless({ scan, path, deep = false }: Omit<Scan, 'root'>, text: string): boolean {
  return scan === 'lint' && lintRulesFor({ path, text, deep }).length === 0;
}

function howItEnded(outcome: ScanOutcome): string {
  switch (outcome.kind) {
    case 'broken':
      return outcome.message;
    case 'crashed':
      return outcome.exit;
    default:
      return outcome.kind;
  }
}

function textOf(text: string): { readonly kind: 'text'; readonly text: string } {
  return { kind: 'text', text };
}
