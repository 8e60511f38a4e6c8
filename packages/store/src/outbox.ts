import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, limits, type MessageId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { encodeRecord, OutboxFile, syncFolder, type OutboxChange } from './outbox-file.ts';
import { storageError } from './storage-error.ts';

export interface OutboxEntry {
  readonly id: MessageId;
  readonly frame: Uint8Array;
}

/**
 * Messages that must not be lost, kept on the sender's disk until the receiver has acknowledged them (DESIGN.md
 * section 7).
 */
export interface Outbox {
  /**
   * Resolves when the message is on the disk, synced. An id that is there already changes nothing. Rejects with
   * AppError E_QUEUE_FULL at `limits.outboxEntries`, E_DISK_FULL, E_STORAGE.
   */
  append(id: MessageId, frame: Uint8Array): Promise<void>;
  /** What is on the disk and not acknowledged, oldest first. */
  pending(): readonly OutboxEntry[];
  /** Forgets messages; unknown ids change nothing. */
  acknowledge(ids: readonly MessageId[]): Promise<void>;
  /** Writes out what waits and closes. Closing twice is fine. */
  close(): Promise<void>;
}

export interface OutboxOptions {
  readonly file: string;
  readonly logger: Logger;
  /** Size from which a file that is mostly acknowledged entries is written anew. */
  readonly compactBytes?: number;
}

/** Opens or makes an outbox; its folder has one owner at a time. Throws AppError E_STATE_DAMAGED, E_STORAGE. */
export function openOutbox(options: OutboxOptions): Outbox {
  return new FileOutbox(options);
}

interface Waiting {
  readonly change: OutboxChange;
  resolve(): void;
  reject(error: AppError): void;
}

/**
 * Changes that come while a write is under way wait and share the next record, so there is one fsync at a time
 * and the loop is never blocked by the disk.
 */
class FileOutbox implements Outbox {
  private readonly kept = new Map<MessageId, Uint8Array>();
  /** Entries on their way to the disk. */
  private readonly arriving = new Set<MessageId>();
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private refusal: AppError | undefined;
  private file: OutboxFile;
  private readonly options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.options = options;
    this.file = OutboxFile.open(options.file, options.logger, (change) => this.apply(change));
  }

  append(id: MessageId, frame: Uint8Array): Promise<void> {
    if (this.kept.has(id)) return Promise.resolve();
    if (this.kept.size + this.arriving.size >= limits.outboxEntries) {
      const text = `the outbox holds ${limits.outboxEntries} messages that nobody has acknowledged; the orchestrator must be reached first`;
      return Promise.reject(new AppError('E_QUEUE_FULL', text));
    }
    this.arriving.add(id);
    return this.write({ append: [{ id, frame }], acknowledge: [] }).finally(() => this.arriving.delete(id));
  }

  pending(): readonly OutboxEntry[] {
    return [...this.kept].map(([id, frame]) => ({ id, frame }));
  }

  acknowledge(ids: readonly MessageId[]): Promise<void> {
    const known = ids.filter((id) => this.kept.has(id) || this.arriving.has(id));
    return known.length === 0 ? Promise.resolve() : this.write({ append: [], acknowledge: known });
  }

  async close(): Promise<void> {
    await this.writing;
    this.refusal ??= new AppError('E_STORAGE', `${this.options.file}: the outbox is closed`);
    this.file.close();
  }

  private write(change: OutboxChange): Promise<void> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    return new Promise((resolve, reject) => {
      this.waiting.push({ change, resolve, reject });
      this.writing ??= this.drain();
    });
  }

  private async drain(): Promise<void> {
    // The end of the turn: whatever else it appends goes into the same record.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      try {
        await this.writeGroup(group.map((entry) => entry.change));
        for (const entry of group) entry.resolve();
      } catch (thrown) {
        const error = storageError(thrown, this.options.file);
        for (const entry of group) entry.reject(error);
      }
    }
    // In the same step as the last look at `waiting`, so that nothing is left behind.
    this.writing = undefined;
  }

  private async writeGroup(changes: readonly OutboxChange[]): Promise<void> {
    const change: OutboxChange = {
      append: changes.flatMap((entry) => entry.append),
      acknowledge: changes.flatMap((entry) => entry.acknowledge),
    };
    if (this.refusal !== undefined) throw this.refusal;
    try {
      await this.file.write(encodeRecord(change));
    } catch (thrown) {
      // A write that failed was taken back; after a failed sync nobody knows what the disk holds.
      if (!this.file.sound) this.refusal = storageError(thrown, this.options.file);
      throw thrown;
    }
    this.apply(change);
    if (this.isWorthCompacting()) await this.compact();
  }

  private apply(change: OutboxChange): void {
    for (const { id, frame } of change.append) this.kept.set(id, frame);
    for (const id of change.acknowledge) this.kept.delete(id);
  }

  private isWorthCompacting(): boolean {
    const { compactBytes = 1024 * 1024 } = this.options;
    if (this.file.bytes < compactBytes) return false;
    const live = [...this.kept.values()].reduce((sum, frame) => sum + frame.length, 0);
    return live * 2 < this.file.bytes;
  }

  /** Writes what is left into a new file and puts it in the place of the old one. */
  private async compact(): Promise<void> {
    const { file, logger } = this.options;
    const before = this.file.bytes;
    const next = OutboxFile.create(`${file}.new`);
    try {
      await next.write(encodeRecord({ append: this.pending(), acknowledge: [] }));
      renameSync(`${file}.new`, file);
      syncFolder(dirname(file));
    } catch (error) {
      // The old file is whole and stays in use; the next write tries again.
      next.close();
      logger.warn({ err: error, file }, 'outbox could not be compacted');
      return;
    }
    this.file.close();
    this.file = next;
    logger.debug({ file, before, after: next.bytes }, 'outbox compacted');
  }
}
