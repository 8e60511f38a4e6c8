import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '@switchyard/protocol';
import { ownThread, type Logger } from '@switchyard/runtime';
import type { LaneGreeting } from './heartbeat-lane.ts';
import { tellRefused, type Heartbeats } from './heartbeats.ts';

/** Where the thread finds the hub, and what lets it in. */
export interface ThreadPlace {
  readonly url: string;
  readonly token: string;
  readonly fingerprint?: string | undefined;
}

export interface ThreadHeartbeatsOptions {
  /** Asked at every welcome: the hub may have moved, and the token may be another one. */
  readonly place: () => ThreadPlace;
  readonly logger: Logger;
}

/** What the thread is given at its start: the counter that the main loop raises. */
export interface ThreadData {
  readonly turns: SharedArrayBuffer;
}

/** What the main loop tells the thread. */
export type ThreadOrder =
  | { readonly kind: 'begin'; readonly place: ThreadPlace; readonly greeting: LaneGreeting }
  | { readonly kind: 'end' };

/** What the thread tells the main loop: the hub will never take its lane. */
export interface ThreadWord {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A thread needs few objects; a limit keeps a fault of its own from taking the process's memory. */
const heapMb = 64;

/**
 * Heartbeats from a thread of this process, begun at the first welcome. A thread that ends of itself is told in the log
 * and begun anew at the next welcome; until then the heartbeats of the main loop have to do.
 */
export function threadHeartbeats(options: ThreadHeartbeatsOptions): Heartbeats {
  return new ThreadHeartbeats(options);
}

class ThreadHeartbeats implements Heartbeats {
  private readonly options: ThreadHeartbeatsOptions;
  private readonly turns = new SharedArrayBuffer(Uint32Array.BYTES_PER_ELEMENT);
  private readonly counter = new Uint32Array(this.turns);
  private thread: Worker | undefined;
  private closed = false;

  constructor(options: ThreadHeartbeatsOptions) {
    this.options = options;
  }

  begin(greeting: LaneGreeting): void {
    if (this.closed) return;
    const { place, logger } = this.options;
    try {
      const order: ThreadOrder = { kind: 'begin', place: place(), greeting };
      this.thread ??= this.start();
      this.tell(order);
    } catch (error) {
      // The orchestrator's file or token is gone again, or this process may have no more threads.
      logger.warn(
        { err: error },
        'no heartbeat lane; heartbeats come from the main loop until the next welcome',
      );
    }
  }

  sign(): void {
    Atomics.add(this.counter, 0, 1);
  }

  end(): void {
    this.tell({ kind: 'end' });
  }

  async close(): Promise<void> {
    this.closed = true;
    const { thread } = this;
    this.thread = undefined;
    await thread?.terminate();
  }

  private tell(order: ThreadOrder): void {
    this.thread?.postMessage(order);
  }

  private start(): Worker {
    const { logger } = this.options;
    const workerData: ThreadData = { turns: this.turns };
    const thread = new Worker(ownThread(new URL('./heartbeat-thread.ts', import.meta.url)), {
      execArgv: [],
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    thread.unref();
    thread.on('message', (word: ThreadWord) => tellRefused(logger, word));
    thread.on('error', (error) => logger.error({ err: error }, 'the thread of heartbeats failed'));
    thread.on('exit', () => {
      if (this.thread !== thread) return;
      this.thread = undefined;
      logger.warn('the thread of heartbeats is gone; they come from the main loop');
    });
    return thread;
  }
}
