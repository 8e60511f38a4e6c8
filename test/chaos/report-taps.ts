import { decodeFrame, registry, isMessageType, type RawEnvelope } from '@switchyard/protocol';
import { ClientFrames } from './client-frames.ts';
import type { Direction, Passage } from './relay.ts';

/** Reports that must not be lost: the table says which (DESIGN.md section 7). */
function isTerminal({ type }: RawEnvelope): boolean {
  return isMessageType(type) && registry[type].durable;
}

/** Sees the envelopes that clients send through a relay, whole and in order. */
export class EnvelopeTap {
  private readonly frames = new WeakMap<Passage, ClientFrames>();

  /** The envelopes that are whole with this chunk. */
  read(chunk: Buffer, passage: Passage): RawEnvelope[] {
    const frames = this.frames.get(passage) ?? new ClientFrames();
    this.frames.set(passage, frames);
    return frames.read(chunk).flatMap((message) => decodeFrame(message));
  }
}

/**
 * Cuts the connection at the worst moments of each terminal report: the first time before the hub has it, the second
 * time after the hub has it and before its word comes back. The third time it may arrive.
 */
export class ReportCutter {
  /** How often each report was sent, by its message id. */
  readonly sent = new Map<string, number>();
  private readonly tap = new EnvelopeTap();
  private readonly deaf = new WeakSet<Passage>();

  /** For `RelayOptions.tap`. */
  pass(chunk: Buffer, direction: Direction, passage: Passage): boolean {
    if (direction === 'down') return !this.deaf.has(passage);
    const times = this.tap
      .read(chunk, passage)
      .filter(isTerminal)
      .map((report) => this.count(report));
    if (times.includes(1)) return false;
    if (times.includes(2)) this.deaf.add(passage);
    return true;
  }

  private count({ id }: RawEnvelope): number {
    const times = (this.sent.get(id) ?? 0) + 1;
    this.sent.set(id, times);
    return times;
  }
}

/** Keeps the bytes of every connection to the hub on which a terminal report was sent. */
export class Recorder {
  private readonly tap = new EnvelopeTap();
  private readonly bytes = new Map<Passage, { readonly chunks: Buffer[]; readonly reports: string[] }>();

  /** For `RelayOptions.tap`. */
  pass(chunk: Buffer, direction: Direction, passage: Passage): boolean {
    if (direction === 'down') return true;
    const kept = this.bytes.get(passage) ?? { chunks: [], reports: [] };
    this.bytes.set(passage, kept);
    kept.chunks.push(Buffer.from(chunk));
    kept.reports.push(
      ...this.tap
        .read(chunk, passage)
        .filter(isTerminal)
        .map(({ id }) => id),
    );
    return true;
  }

  /** What was recorded so far: the bytes of a connection, and the ids of the reports among them. */
  recordings(): { readonly bytes: Buffer; readonly reports: readonly string[] }[] {
    return [...this.bytes.values()]
      .filter(({ reports }) => reports.length > 0)
      .map(({ chunks, reports }) => ({ bytes: Buffer.concat(chunks), reports: [...reports] }));
  }
}
