import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { AppError, decodePayload, encodePayload, messageId, type MessageId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { FileStore, StoredFile } from './file-store.ts';
import { storageError } from './storage-error.ts';

/**
 * The file behind an outbox. A head of 8 bytes, then records:
 *
 *     | length u32 | crc32 u32 | length bytes: msgpack of {append: [{id, frame}], acknowledge: [id]} |
 *
 * A record is synced before the next one is begun, so only the last one can be torn (a crash, a full disk), and
 * a torn one was never promised to anybody: it is cut off. Anything wrong before it is damage.
 */
const head = Buffer.from('SWYOBX1\n');
const recordHeadBytes = 8;

/** What one record says. */
export interface OutboxChange {
  readonly append: readonly { readonly id: MessageId; readonly frame: Uint8Array }[];
  readonly acknowledge: readonly MessageId[];
}

/** The bytes of one record. */
export function encodeRecord(change: OutboxChange): Buffer {
  const body = encodePayload(change);
  const record = Buffer.alloc(recordHeadBytes + body.length);
  record.writeUInt32BE(body.length, 0);
  record.writeUInt32BE(crc32(body), 4);
  record.set(body, recordHeadBytes);
  return record;
}

/** Where an outbox lies. */
export interface OutboxPlace {
  readonly file: string;
  readonly files: FileStore;
}

/** An open file and how much of it is good. */
export class OutboxFile {
  /** Bytes up to the end of the last good record. */
  bytes: number;
  /** False after a sync failed: what the disk holds is unknown. */
  sound = true;
  private readonly stored: StoredFile;
  private closed = false;

  private constructor(stored: StoredFile, bytes: number) {
    this.stored = stored;
    this.bytes = bytes;
  }

  /** Opens or makes the file and tells its records, oldest first. Throws AppError E_STATE_DAMAGED, E_STORAGE. */
  static open(place: OutboxPlace, logger: Logger, tell: (change: OutboxChange) => void): OutboxFile {
    const { file, files } = place;
    try {
      const content = files.read(file);
      if (content === undefined || isTornHead(content)) return OutboxFile.create(place);
      const good = readRecords(content, file, tell);
      const opened = new OutboxFile(files.open(file), good);
      if (good < content.length) {
        logger.warn({ file, bytes: content.length - good }, 'outbox: a record that was cut off is dropped');
        opened.stored.truncateNow(good);
        opened.stored.syncNow();
      }
      return opened;
    } catch (thrown) {
      throw storageError(thrown, file);
    }
  }

  /** Makes an empty file, in place of what is there. */
  static create({ file, files }: OutboxPlace): OutboxFile {
    const stored = files.create(file);
    stored.writeNow(head);
    stored.syncNow();
    files.syncFolder(dirname(file));
    return new OutboxFile(stored, head.length);
  }

  /** Appends a record and syncs it; a write that fails is taken back. */
  async write(record: Buffer): Promise<void> {
    try {
      await this.writeAll(record);
    } catch (thrown) {
      this.sound = this.cutBack();
      throw thrown;
    }
    try {
      await this.stored.sync();
    } catch (thrown) {
      this.sound = false;
      throw thrown;
    }
    this.bytes += record.length;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stored.close();
  }

  private async writeAll(record: Buffer): Promise<void> {
    let done = 0;
    while (done < record.length) done += await this.stored.write(record.subarray(done), this.bytes + done);
  }

  private cutBack(): boolean {
    try {
      this.stored.truncateNow(this.bytes);
      return true;
    } catch {
      // The caller throws the first error; this one only means that the file is not to be used any more.
      return false;
    }
  }
}

/** A crash while the file was made: nothing was in it yet. */
function isTornHead(content: Buffer): boolean {
  return content.length < head.length && head.subarray(0, content.length).equals(content);
}

/** What an outbox holds, for those who only look. Throws AppError E_STATE_DAMAGED. */
export function readOutbox(
  content: Buffer,
  file: string,
): { readonly pending: number; readonly tornBytes: number } {
  if (isTornHead(content)) return { pending: 0, tornBytes: content.length };
  const kept = new Set<MessageId>();
  const good = readRecords(content, file, ({ append, acknowledge }) => {
    for (const { id } of append) kept.add(id);
    for (const id of acknowledge) kept.delete(id);
  });
  return { pending: kept.size, tornBytes: content.length - good };
}

/** Tells every good record; answers where the good part ends. */
function readRecords(content: Buffer, file: string, tell: (change: OutboxChange) => void): number {
  if (!content.subarray(0, head.length).equals(head)) throw damaged(file, 0);
  let at = head.length;
  while (at < content.length) {
    const change = readRecord(content, at);
    if (change === 'torn') {
      if (holdsRecordAfter(content, at)) throw damaged(file, at);
      return at;
    }
    tell(change);
    at += recordHeadBytes + content.readUInt32BE(at);
  }
  return at;
}

function readRecord(content: Buffer, at: number): OutboxChange | 'torn' {
  if (at + recordHeadBytes > content.length) return 'torn';
  const end = at + recordHeadBytes + content.readUInt32BE(at);
  if (end > content.length) return 'torn';
  const body = content.subarray(at + recordHeadBytes, end);
  if (body.length === 0 || crc32(body) !== content.readUInt32BE(at + 4)) return 'torn';
  // A copy: the entries must not keep the whole file in memory.
  return asChange(decodePayload(Uint8Array.prototype.slice.call(body)));
}

/** Whether a good record stands somewhere behind a bad one: then the bad one was synced once, and is damage. */
function holdsRecordAfter(content: Buffer, bad: number): boolean {
  for (let at = bad + 1; at + recordHeadBytes < content.length; at += 1) {
    if (content.readUInt32BE(at) <= content.length - at && readsWell(content, at)) return true;
  }
  return false;
}

function readsWell(content: Buffer, at: number): boolean {
  try {
    return readRecord(content, at) !== 'torn';
  } catch {
    // A checksum that fits by chance over bytes that are no record.
    return false;
  }
}

/** The door for what the file holds; its checksum was right, so anything else is a bug or another program's file. */
function asChange(value: unknown): OutboxChange {
  const record = value as { append?: unknown; acknowledge?: unknown } | null;
  if (!Array.isArray(record?.append) || !Array.isArray(record.acknowledge))
    throw new TypeError('no outbox record');
  return {
    append: record.append.map((entry: { id?: unknown; frame?: unknown }) => {
      if (!(entry.frame instanceof Uint8Array)) throw new TypeError('an outbox entry without a frame');
      return { id: messageId.parse(entry.id), frame: entry.frame };
    }),
    acknowledge: record.acknowledge.map((id) => messageId.parse(id)),
  };
}

function damaged(file: string, offset: number): AppError {
  return new AppError(
    'E_STATE_DAMAGED',
    `${file}: the outbox is damaged at byte ${offset}; move the file away to start with an empty one`,
    { details: { file, offset } },
  );
}
