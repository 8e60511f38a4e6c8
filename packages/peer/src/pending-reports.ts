import { decodeFrame, openEnvelope, type Envelope } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { Outbox } from '@switchyard/transport';

/** What the reports are about that wait in the outbox from an earlier life of this peer, oldest first. */
export function pendingReports<T>(
  { outbox, logger }: { readonly outbox: Pick<Outbox, 'pending'>; readonly logger: Logger },
  about: (envelope: Envelope) => readonly T[],
): T[] {
  return outbox.pending().flatMap(({ id, frame }) => {
    try {
      return decodeFrame(frame).map(openEnvelope).flatMap(about);
    } catch (error) {
      // Another version wrote it; the link sends it as it is, and the hub judges.
      logger.warn({ err: error, message: id }, 'a message in the outbox cannot be read');
      return [];
    }
  });
}
