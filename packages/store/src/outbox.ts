import { dirname } from 'node:path';
import { AppError, limits, type MessageId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { machineFiles, type FileStore } from './file-store.ts';
import { encodeRecord, OutboxFile, type OutboxChange } from './outbox-file.ts';
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
   * Resolves when the message is on the disk, synced, or was acknowledged before: what is acknowledged at once is spared
   * the disk. An id that is there already changes nothing. Rejects with AppError E_QUEUE_FULL at
   * `limits.outboxEntries`, E_DISK_FULL, E_STORAGE.
   */
  append(id: MessageId, frame: Uint8Array): Promise<void>;
  /** What is on the disk and not acknowledged, oldest first. */
  pending(): readonly OutboxEntry[];
  /**
   * Forgets messages; unknown ids change nothing. The disk is told with the next message, a second later, or at the
   * close: one that comes back after a crash is sent once more, and acknowledged once more.
   */
  acknowledge(ids: readonly MessageId[]): Promise<void>;
  /** Writes out what waits and closes. Closing twice is fine. */
  close(): Promise<void>;
}

export interface OutboxOptions {
  readonly file: string;
  readonly logger: Logger;
  /** Size from which a file that is mostly acknowledged entries is written anew. */
  readonly compactBytes?: number;
  /** Absent: the file system of this machine. */
  readonly files?: FileStore;
  /** Calls back ten milliseconds later; absent: by the machine's clock. */
  readonly soon?: (callback: () => void) => void;
  /** Calls back a second later, when nothing else needs the process any more; absent: by the machine's clock. */
  readonly later?: (callback: () => void) => void;
}

/** Opens or makes an outbox; its folder has one owner at a time. Throws AppError E_STATE_DAMAGED, E_STORAGE. */
export function openOutbox(options: OutboxOptions): Outbox {
  return new FileOutbox(options);
}

interface Waiting {
  readonly entry: OutboxEntry;
  /** It has waited for `soonMs` already. */
  isDue: boolean;
  resolve(): void;
  reject(error: AppError): void;
}

/**
 * So long a message waits for others, twice that at most, and for its acknowledgement: an idle orchestrator on the same
 * network has written its journal by then, and the two need not wait for one disk. What dies with its process meanwhile
 * was not promised.
 */
const soonMs = 10;
const laterMs = 1_000;

/**
 * Entries that come while a write is under way wait and share the next record, so there is one fsync at a time and the
 * loop is never blocked by the disk. What is forgotten rides along: alone it would cost an fsync that nobody waits for.
 */
class FileOutbox implements Outbox {
  private readonly kept = new Map<MessageId, Uint8Array>();
  /** Entries on their way to the disk. */
  private readonly arriving = new Set<MessageId>();
  /** Acknowledged entries that the disk still has, or is about to have. */
  private readonly forgotten = new Set<MessageId>();
  /** The disk is to be told of them, whether an entry comes or not. */
  private isForgetting = false;
  private isForgetAsked = false;
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private refusal: AppError | undefined;
  private file: OutboxFile;
  private readonly options: OutboxOptions;
  private readonly files: FileStore;

  constructor(options: OutboxOptions) {
    this.options = options;
    this.files = options.files ?? machineFiles;
    const place = { file: options.file, files: this.files };
    this.file = OutboxFile.open(place, options.logger, (change) => this.apply(change));
  }

  append(id: MessageId, frame: Uint8Array): Promise<void> {
    if (this.kept.has(id)) return Promise.resolve();
    if (this.kept.size + this.arriving.size - this.forgotten.size >= limits.outboxEntries) {
      const text = `the outbox holds ${limits.outboxEntries} messages that nobody has acknowledged; the orchestrator must be reached first`;
      return Promise.reject(new AppError('E_QUEUE_FULL', text));
    }
    this.arriving.add(id);
    return this.write({ id, frame });
  }

  pending(): readonly OutboxEntry[] {
    return [...this.kept].flatMap(([id, frame]) => (this.forgotten.has(id) ? [] : [{ id, frame }]));
  }

  acknowledge(ids: readonly MessageId[]): Promise<void> {
    for (const id of ids) if (this.kept.has(id) || this.arriving.has(id)) this.forgotten.add(id);
    if (this.forgotten.size > 0 && !this.isForgetAsked) {
      this.isForgetAsked = true;
      (this.options.later ?? machineLater)(() => {
        this.isForgetAsked = false;
        this.forget();
      });
    }
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.forget();
    await this.writing;
    this.refusal ??= new AppError('E_STORAGE', `${this.options.file}: the outbox is closed`);
    this.file.close();
  }

  private write(entry: OutboxEntry): Promise<void> {
    if (this.refusal !== undefined) {
      this.arriving.delete(entry.id);
      return Promise.reject(this.refusal);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ entry, isDue: false, resolve, reject });
      this.writing ??= this.drain();
    });
  }

  /** Tells the disk of what was forgotten. */
  private forget(): void {
    if (this.forgotten.size === 0 || this.refusal !== undefined) return;
    this.isForgetting = true;
    this.writing ??= this.drain();
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0 || this.isForgetting) {
      await new Promise<void>((resolve) => (this.options.soon ?? machineSoon)(resolve));
      const group = this.due();
      this.isForgetting = false;
      try {
        await this.writeGroup(group.map(({ entry }) => entry));
        for (const waiting of group) {
          this.arriving.delete(waiting.entry.id);
          waiting.resolve();
        }
      } catch (thrown) {
        const error = storageError(thrown, this.options.file);
        for (const waiting of group) {
          this.arriving.delete(waiting.entry.id);
          waiting.reject(error);
        }
        if (group.length === 0)
          this.options.logger.warn({ err: error }, 'the outbox could not forget acknowledged messages');
      }
    }
    // In the same step as the last look at `waiting`, so that nothing is left behind.
    this.writing = undefined;
  }

  /** Who has waited: all as soon as one must go to the disk, else those that were acknowledged meanwhile. */
  private due(): Waiting[] {
    const isArrived = ({ entry }: Waiting): boolean => this.forgotten.has(entry.id);
    const mustWrite = this.isForgetting || this.waiting.some((each) => each.isDue && !isArrived(each));
    const group = mustWrite ? this.waiting : this.waiting.filter(isArrived);
    this.waiting = mustWrite ? [] : this.waiting.filter((each) => !isArrived(each));
    for (const each of this.waiting) each.isDue = true;
    return group;
  }

  private async writeGroup(entries: readonly OutboxEntry[]): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    // What was acknowledged before the disk had it need not come there.
    const append = entries.filter(({ id }) => !this.forgotten.delete(id));
    const acknowledge = [...this.forgotten].filter((id) => this.kept.has(id));
    if (append.length === 0 && acknowledge.length === 0) return;
    const change: OutboxChange = { append, acknowledge };
    try {
      await this.file.write(encodeRecord(change));
    } catch (thrown) {
      // A write that failed was taken back; after a failed sync nobody knows what the disk holds.
      if (!this.file.sound) this.refusal = storageError(thrown, this.options.file);
      throw thrown;
    }
    this.apply(change);
    for (const id of acknowledge) this.forgotten.delete(id);
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
    const { files } = this;
    const next = OutboxFile.create({ file: `${file}.new`, files });
    try {
      await next.write(encodeRecord({ append: this.pending(), acknowledge: [] }));
      files.rename(`${file}.new`, file);
      files.syncFolder(dirname(file));
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

function machineSoon(callback: () => void): void {
  setTimeout(callback, soonMs);
}

function machineLater(callback: () => void): void {
  setTimeout(callback, laterMs).unref();
}
