import { z } from 'zod';
import { fence, messageId, peerId, timestampMs } from './ids.ts';
import { quickCheckOf, type QuickCheck } from './quick-check.ts';
import { registry, type MessageType, type PayloadOf } from './registry.ts';

/** The subprotocol named in the WebSocket handshake. */
export const subprotocol = 'switchyard.v1';

/** What stands around every payload. `payload` is msgpack bytes here: the hub routes without decoding them. */
export const envelopeHead = z.object({
  id: messageId,
  type: z.string().max(64),
  from: peerId,
  to: peerId,
  at: timestampMs,
  fence: fence.optional(),
  replyTo: messageId.optional(),
  payload: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'not bytes'),
});
/** An envelope whose payload has not been looked at. */
export type RawEnvelope = z.infer<typeof envelopeHead>;

/** An envelope whose payload has passed its schema. */
export type Envelope<T extends MessageType = MessageType> = {
  [K in T]: {
    readonly type: K;
    readonly payload: PayloadOf<K>;
  } & Omit<RawEnvelope, 'type' | 'payload'>;
}[T];

const isHead = quickCheckOf(envelopeHead);

/** Checks a decoded envelope, but for its payload; the thrown ZodError says what is wrong. */
export function parseHead(envelope: unknown): RawEnvelope {
  return isHead(envelope) ? (envelope as RawEnvelope) : envelopeHead.parse(envelope);
}

/** Made when a type is first seen: most processes see few. */
const quickChecks = new Map<MessageType, QuickCheck>();

/**
 * Checks a payload against the table; the thrown ZodError says what is wrong. The answer is the payload itself, or a
 * copy with defaults filled in and unknown fields left out.
 */
export function parsePayload<T extends MessageType>(type: T, payload: unknown): PayloadOf<T> {
  let isPayload = quickChecks.get(type);
  if (isPayload === undefined) {
    isPayload = quickCheckOf(registry[type].payload);
    quickChecks.set(type, isPayload);
  }
  return (isPayload(payload) ? payload : registry[type].payload.parse(payload)) as PayloadOf<T>;
}
