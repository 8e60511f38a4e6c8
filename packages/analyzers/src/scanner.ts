import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import { scanAnswer, type ScanAnswer, type ScanJob } from './scan-protocol.ts';

/** What came of one job: the process's own answer, or that the file took too long or broke the process. */
export type ScanOutcome =
  ScanAnswer | { readonly kind: 'timed-out' } | { readonly kind: 'crashed'; readonly exit: string };

/** Runs scan jobs one after the other in a process that is killed when a file takes too long. */
export interface Scanner {
  scan(job: Omit<ScanJob, 'id'>, signal: AbortSignal): Promise<ScanOutcome>;
  close(): Promise<void>;
}

export interface ScannerOptions {
  readonly fileTimeMs?: number;
}

/** Opens a scanner; its process starts with the first job, and ends when idle. */
export function createScanner(options: ScannerOptions = {}): Scanner {
  const fileTimeMs = options.fileTimeMs ?? analyzerLimits.fileTimeMs;
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let lastId = 0;
  let closed = false;

  const end = (): void => {
    child?.kill('SIGKILL');
    child = undefined;
  };
  const rest = (): void => {
    clearTimeout(idle);
    idle = setTimeout(end, analyzerLimits.scanIdleMs).unref();
  };
  const perform = async (job: Omit<ScanJob, 'id'>, signal: AbortSignal): Promise<ScanOutcome> => {
    signal.throwIfAborted();
    if (closed) throw new AppError('E_CANCELLED', 'the scanner is closed');
    clearTimeout(idle);
    child ??= startScan();
    lastId += 1;
    const outcome = await ask(child, { ...job, id: lastId }, { signal, fileTimeMs });
    const spent = lastId % analyzerLimits.scansPerProcess === 0;
    if (spent || outcome.kind === 'timed-out' || outcome.kind === 'crashed') end();
    rest();
    signal.throwIfAborted();
    return outcome;
  };
  return {
    scan(job, signal) {
      const result = queue.then(() => perform(job, signal));
      // The next job waits for this one, however it ends; who asked for this one hears of its error.
      queue = result.catch(() => undefined);
      return result;
    },
    async close() {
      closed = true;
      clearTimeout(idle);
      end();
      await queue;
    },
  };
}

/** Sends one job and waits for its answer, its time, its process's end or the signal, whichever comes first. */
function ask(
  child: ChildProcess,
  job: ScanJob,
  limits: { readonly signal: AbortSignal; readonly fileTimeMs: number },
): Promise<ScanOutcome> {
  return new Promise((resolve) => {
    const settle = (outcome: ScanOutcome): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      limits.signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const onMessage = (message: unknown): void => {
      const answer = scanAnswer.parse(message);
      if (answer.id === job.id) settle(answer);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      settle({ kind: 'crashed', exit: signal ?? `code ${String(code)}` });
    const onError = (error: Error): void => settle({ kind: 'crashed', exit: error.message });
    const onAbort = (): void => settle({ kind: 'timed-out' });
    const timer = setTimeout(settle, limits.fileTimeMs, { kind: 'timed-out' });
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
    limits.signal.addEventListener('abort', onAbort, { once: true });
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
    else child.send(job, (error) => error && onError(error));
  });
}

/** Starts the scan process with nothing of our environment; it goes when this process goes. */
function startScan(): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = fork(fileURLToPath(new URL('./scan-process.ts', import.meta.url)), [], {
    execArgv: ['--max-old-space-size=512', '--import', tsx],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.unref();
  child.channel?.unref();
  return child;
}
