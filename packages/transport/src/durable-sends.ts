import { AppError, limits, type MessageId } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import type { Outbox } from './link-interface.ts';

interface Entry {
  readonly id: MessageId;
  readonly frame: Uint8Array;
  acknowledged: boolean;
}

export interface DurableSendsOptions {
  readonly outbox: Outbox | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sends on the control lane; false: not now. */
  readonly transmit: (frame: Uint8Array) => boolean;
}

/** How soon to try again when the control lane is full. */
const retryMs = 50;

/**
 * Messages that must arrive: sent at once in the order they were given, stored meanwhile, sent again from the oldest
 * on every connection, until acknowledged. The disk is for the next life of this process: an entry that left before it
 * was stored arrives, or dies with its process as if it had not been sent.
 *
 * Invariants: (1) on one connection entries leave in the order of `add`, each once; (2) an entry stays, here and on
 * the disk, until an `ack` names it; (3) `settled` resolves when all that was added is stored, or known not to be.
 */
export class DurableSends {
  private readonly options: DurableSendsOptions;
  private readonly entries = new Map<MessageId, Entry>();
  /** What this connection still has to carry, oldest first. */
  private waiting: Entry[] = [];
  private first = 0;
  private connected = false;
  private cancelRetry: (() => void) | undefined;
  /** Entries on their way to the disk, and who waits for the last of them. */
  private storing = 0;
  private settlers: (() => void)[] = [];

  constructor(options: DurableSendsOptions) {
    this.options = options;
    for (const { id, frame } of options.outbox?.pending() ?? [])
      this.entries.set(id, { id, frame, acknowledged: false });
  }

  get size(): number {
    return this.entries.size;
  }

  /** Throws AppError E_QUEUE_FULL. */
  add(id: MessageId, frame: Uint8Array): void {
    if (this.entries.size >= limits.outboxEntries)
      throw new AppError(
        'E_QUEUE_FULL',
        `the outbox holds ${limits.outboxEntries} messages that the orchestrator has not acknowledged`,
      );
    const entry: Entry = { id, frame, acknowledged: false };
    this.entries.set(id, entry);
    if (this.connected) this.waiting.push(entry);
    this.store(entry);
    this.pump();
  }

  /** A welcome came: everything unacknowledged leaves again. */
  up(): void {
    this.connected = true;
    this.waiting = [...this.entries.values()];
    this.first = 0;
    this.pump();
  }

  down(): void {
    this.connected = false;
    this.waiting = [];
    this.first = 0;
    this.cancelRetry?.();
    this.cancelRetry = undefined;
  }

  /** Forgets what has arrived. */
  async acknowledge(ids: readonly MessageId[]): Promise<void> {
    const known = ids.filter((id) => this.entries.has(id));
    for (const id of known) {
      const entry = this.entries.get(id);
      if (entry !== undefined) entry.acknowledged = true;
      this.entries.delete(id);
    }
    if (known.length === 0) return;
    try {
      await this.options.outbox?.acknowledge(known);
    } catch (thrown) {
      this.options.logger.error({ err: thrown }, 'the outbox could not forget acknowledged messages');
    }
  }

  /** Resolves when all that was added is stored. */
  settled(): Promise<void> {
    if (this.storing === 0) return Promise.resolve();
    return new Promise((resolve) => this.settlers.push(resolve));
  }

  private store(entry: Entry): void {
    const stored = this.options.outbox?.append(entry.id, entry.frame);
    if (stored === undefined) return;
    this.storing += 1;
    stored.then(
      () => this.stored(),
      (thrown: unknown) => {
        // The result must not be lost while this process lives: it is sent and replayed from memory.
        this.options.logger.error({ err: thrown, message: entry.id }, 'the outbox could not store a message');
        this.stored();
      },
    );
  }

  private stored(): void {
    this.storing -= 1;
    if (this.storing > 0) return;
    for (const settle of this.settlers.splice(0)) settle();
  }

  private pump(): void {
    while (this.connected && this.first < this.waiting.length) {
      const entry = this.waiting[this.first];
      if (entry === undefined) break;
      if (!entry.acknowledged && !this.options.transmit(entry.frame)) return this.retryLater();
      this.first += 1;
    }
    if (this.first === this.waiting.length) {
      this.waiting = [];
      this.first = 0;
    }
  }

  private retryLater(): void {
    this.cancelRetry ??= this.options.clock.after(retryMs, () => {
      this.cancelRetry = undefined;
      this.pump();
    });
  }
}
