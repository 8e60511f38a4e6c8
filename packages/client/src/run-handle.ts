import {
  AppError,
  isAppError,
  messageOf,
  type Envelope,
  type Progress,
  type RunEvent,
  type RunView,
} from '@switchyard/protocol';
import { ask } from './ask.ts';
import type { ClientLink } from './client-link.ts';
import { evolveView } from './evolve-view.ts';
import { Listeners } from './listeners.ts';
import { endsRun, namedEvent, runEventOf, type RunHandleEvent, type RunHandleEvents } from './run-events.ts';

/** One run as its watcher sees it. It survives a reconnect: it asks for what came after its last event. */
export interface RunHandle {
  readonly run: string;
  /** Adds a listener; the answer removes it. Earlier events of the run are told too, unless `after` left them out. */
  on<Name extends RunHandleEvent>(name: Name, listener: (event: RunHandleEvents[Name]) => void): () => void;
  /** Counts of tasks; zeros until the orchestrator has answered. */
  getProgress(): Progress;
  /** The run with its tasks; undefined until the orchestrator has answered. */
  view(): RunView | undefined;
  /** Resolves with the first view. Rejects with AppError, for example E_RUN_UNKNOWN. */
  readonly opened: Promise<RunView>;
  /** Resolves with the last view once the run has ended, well or not. Rejects when it cannot be followed. */
  readonly finished: Promise<RunView>;
  /** Stops following; `finished` then rejects with E_CANCELLED unless it is settled. */
  close(): void;
}

export interface WatchOptions {
  /** Only events after this position of the run's history, or only what happens from now on. */
  readonly after?: number | 'now';
}

/** How often a watch that times out is asked again before the handle gives up. */
const watchTries = 5;
/** A position that no history reaches: the orchestrator goes on from where it stands. */
const afterAll = Number.MAX_SAFE_INTEGER;
const noProgress: Progress = {
  total: 0,
  completed: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
  running: 0,
  waiting: 0,
};

/** Follows a run over a link. */
export function followRun(link: ClientLink, run: string, options: WatchOptions = {}): RunHandle {
  return new FollowedRun(link, run, options);
}

class FollowedRun implements RunHandle {
  readonly run: string;
  readonly opened: Promise<RunView>;
  readonly finished: Promise<RunView>;
  private readonly link: ClientLink;
  private readonly listeners = new Listeners<RunHandleEvents>();
  private readonly releases: (() => void)[] = [];
  private readonly opening = promiseParts<RunView>();
  private readonly finishing = promiseParts<RunView>();
  /** Events that came before it was known which are new: several messages may come at once. */
  private readonly early: RunEvent[] = [];
  private current: RunView | undefined;
  /** The last event that listeners were told. */
  private toldSeq: number;
  /** The position that `current` stands for. */
  private viewSeq = 0;
  private watching = false;
  private reconnected = false;
  private ended = false;

  constructor(link: ClientLink, run: string, options: WatchOptions) {
    this.link = link;
    this.run = run;
    this.toldSeq = options.after === 'now' ? afterAll : (options.after ?? 0);
    this.opened = this.opening.promise;
    this.finished = this.finishing.promise;
    this.releases.push(link.onMessage((envelope) => this.take(envelope)));
    const onConnected = link.onConnected?.(() => {
      this.reconnected = true;
      void this.watch();
    });
    if (onConnected !== undefined) this.releases.push(onConnected);
    void this.watch();
  }

  on<Name extends RunHandleEvent>(name: Name, listener: (event: RunHandleEvents[Name]) => void): () => void {
    return this.listeners.on(name, listener);
  }

  getProgress(): Progress {
    return this.current?.progress ?? noProgress;
  }

  view(): RunView | undefined {
    return this.current;
  }

  close(): void {
    this.release();
    const error = new AppError('E_CANCELLED', `nobody follows the run ${this.run} any more`);
    this.opening.reject(error);
    this.finishing.reject(error);
  }

  /** Subscribes; one request at a time. */
  private async watch(): Promise<void> {
    if (this.watching || this.ended) return;
    this.watching = true;
    try {
      await this.subscribe();
    } catch (thrown) {
      this.fail(thrown);
    } finally {
      this.watching = false;
    }
  }

  private async subscribe(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      this.reconnected = false;
      try {
        const { view, seq } = await ask(this.link, {
          type: 'run-watch',
          payload: { run: this.run, after: this.toldSeq },
          answer: 'run-watched',
        });
        this.open(view, seq);
        return;
      } catch (thrown) {
        if (!isAppError(thrown)) throw thrown;
        const lost = thrown.code === 'E_UNREACHABLE';
        // The next connection calls `watch` again.
        if (lost && this.link.onConnected !== undefined && !this.reconnected) return;
        if (!lost && thrown.code !== 'E_TIMEOUT') throw thrown;
        if (tries >= watchTries) throw thrown;
      }
    }
  }

  private open(view: RunView, seq: number): void {
    if (this.ended) return;
    if (this.toldSeq === afterAll) this.toldSeq = seq;
    if (seq >= this.viewSeq) {
      this.current = view;
      this.viewSeq = seq;
    }
    this.opening.resolve(view);
    for (const event of this.early.splice(0)) this.hear(event);
    if (hasEnded(view)) void this.finish();
  }

  private take(envelope: Envelope): void {
    const event = runEventOf(envelope, this.run);
    if (event === undefined) return;
    if (this.toldSeq === afterAll) this.early.push(event);
    else this.hear(event);
  }

  private hear(event: RunEvent): void {
    if (event.seq <= this.toldSeq || this.ended) return;
    this.toldSeq = event.seq;
    if (this.current !== undefined && event.seq > this.viewSeq) {
      this.current = evolveView(this.current, event);
      this.viewSeq = event.seq;
    }
    this.tell(event);
    if (endsRun(event.kind)) void this.finish();
    else if (event.kind === 'tasks-added' || event.kind === 'task-waiting') void this.refresh();
  }

  private tell(event: RunEvent): void {
    this.listeners.emit('event', event);
    const name = namedEvent(event.kind);
    if (name !== undefined) this.listeners.emit(name, event);
    if (event.kind === 'error' || event.kind === 'failed' || event.kind === 'cancelled')
      this.listeners.emit('error', { kind: 'run', event, text: event.text });
  }

  /** The run has ended: the exact last view, or ours where the orchestrator has gone already. */
  private async finish(): Promise<void> {
    const told = this.current;
    await this.refresh();
    const view = this.current !== undefined && hasEnded(this.current) ? this.current : told;
    if (view === undefined || !hasEnded(view)) return;
    this.current = view;
    this.release();
    this.opening.resolve(view);
    this.finishing.resolve(view);
  }

  /** Replaces what events could not tell. Its answer comes after all events that were sent before it. */
  private async refresh(): Promise<void> {
    try {
      const { view } = await ask(this.link, {
        type: 'run-get',
        payload: { run: this.run },
        answer: 'run-got',
      });
      if (!this.ended) this.current = view;
    } catch (thrown) {
      // What the events told is good enough until the next answer.
      if (!isAppError(thrown)) throw thrown;
    }
  }

  private fail(thrown: unknown): void {
    if (this.ended) return;
    const error = isAppError(thrown)
      ? thrown
      : new AppError('E_INTERNAL', messageOf(thrown), { cause: thrown });
    this.release();
    this.opening.reject(error);
    this.finishing.reject(error);
    this.listeners.emit('error', { kind: 'link', error, text: error.message });
  }

  private release(): void {
    this.ended = true;
    for (const release of this.releases.splice(0)) release();
  }
}

function hasEnded(view: RunView): boolean {
  return view.phase === 'completed' || view.phase === 'failed' || view.phase === 'cancelled';
}

interface PromiseParts<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: AppError): void;
}

/** A promise that may be rejected without anybody waiting for it: the `error` event tells the same. */
function promiseParts<T>(): PromiseParts<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: AppError) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
