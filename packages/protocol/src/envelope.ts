import { z } from 'zod';
import { fence, messageId, peerId, timestampMs } from './ids.ts';
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

/** Checks a decoded payload against the table; the thrown ZodError says what is wrong. */
export function parsePayload<T extends MessageType>(type: T, payload: unknown): PayloadOf<T> {
  return registry[type].payload.parse(payload) as PayloadOf<T>;
}
