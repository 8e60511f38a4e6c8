import type { MessageId } from '@switchyard/protocol';
import type { Outbox } from '@switchyard/transport';

/** An outbox that survives its link, as a disk does. */
export class MemoryOutbox implements Outbox {
  private readonly entries = new Map<MessageId, Uint8Array>();
  broken = false;

  async append(id: MessageId, frame: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.broken) throw new Error('the disk is full');
    this.entries.set(id, frame);
  }

  pending(): { id: MessageId; frame: Uint8Array }[] {
    return [...this.entries].map(([id, frame]) => ({ id, frame }));
  }

  async acknowledge(ids: readonly MessageId[]): Promise<void> {
    await Promise.resolve();
    for (const id of ids) this.entries.delete(id);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
