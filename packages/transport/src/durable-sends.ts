import { AppError, limits, type MessageId } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import type { Outbox } from './link-interface.ts';

interface Entry {
  readonly id: MessageId;
  readonly frame: Uint8Array;
  /** On the disk, or known not to get there. */
  stored: boolean;
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
 * Messages that must arrive: stored first, sent in the order they were given, sent again from the oldest on every
 * connection, until acknowledged.
 *
 * Invariants: (1) nothing leaves before it is stored; (2) on one connection entries leave in the order of `add`,
 * each once; (3) an entry stays until an `ack` names it.
 */
export class DurableSends {
  private readonly options: DurableSendsOptions;
  private readonly entries = new Map<MessageId, Entry>();
  /** What this connection still has to carry, oldest first. */
  private waiting: Entry[] = [];
  private first = 0;
  private connected = false;
  private cancelRetry: (() => void) | undefined;
  private storing: Promise<void> = Promise.resolve();

  constructor(options: DurableSendsOptions) {
    this.options = options;
    for (const { id, frame } of options.outbox?.pending() ?? [])
      this.entries.set(id, { id, frame, stored: true, acknowledged: false });
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
    const entry: Entry = { id, frame, stored: false, acknowledged: false };
    this.entries.set(id, entry);
    if (this.connected) this.waiting.push(entry);
    this.storing = Promise.all([this.storing, this.store(entry)]).then(() => {
      entry.stored = true;
      this.pump();
    });
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
    return this.storing;
  }

  private async store(entry: Entry): Promise<void> {
    try {
      await this.options.outbox?.append(entry.id, entry.frame);
    } catch (thrown) {
      // The result must not be lost while this process lives: it is sent and replayed from memory.
      this.options.logger.error({ err: thrown, message: entry.id }, 'the outbox could not store a message');
    }
  }

  private pump(): void {
    while (this.connected && this.first < this.waiting.length) {
      const entry = this.waiting[this.first];
      if (entry === undefined || !entry.stored) break;
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
