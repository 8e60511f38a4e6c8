import { Packr } from 'msgpackr';
import { AppError } from './app-error.ts';
import { parseHead, parsePayload, type Envelope, type RawEnvelope } from './envelope.ts';
import { isMessageType } from './registry.ts';

/**
 * Frames: one WebSocket message is one or more envelopes back to back, each a msgpack map whose `payload` is a
 * msgpack bin holding the payload's own msgpack. So a router reads the head and passes the payload on as bytes,
 * and frames are coalesced by putting them one behind the other. Plain msgpack: no records, no extensions.
 */
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: 'number',
  variableMapSize: true,
});

/** Encodes a payload alone. */
export function encodePayload(payload: unknown): Uint8Array {
  return packr.pack(payload);
}

/** Decodes a payload alone. Throws AppError E_PROTOCOL. */
export function decodePayload(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes) as unknown;
  } catch (cause) {
    throw new AppError('E_PROTOCOL', 'a payload is not msgpack', { cause });
  }
}

/** Encodes an envelope whose payload is bytes already. */
export function encodeEnvelope(envelope: RawEnvelope): Uint8Array {
  return packr.pack(envelope);
}

/** Splits a frame into envelopes, heads checked, payloads untouched. Throws AppError E_PROTOCOL. */
export function decodeFrame(frame: Uint8Array): RawEnvelope[] {
  let parts: unknown;
  try {
    parts = packr.unpackMultiple(frame);
  } catch (cause) {
    throw new AppError('E_PROTOCOL', 'a frame is not msgpack', { cause });
  }
  if (!Array.isArray(parts) || parts.length === 0)
    throw new AppError('E_PROTOCOL', 'a frame holds no envelope');
  try {
    return parts.map(parseHead);
  } catch (cause) {
    throw new AppError('E_PROTOCOL', 'a frame holds something that is no envelope', { cause });
  }
}

/** Puts envelopes one behind the other. */
export function joinFrames(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Opens an envelope: decodes and checks its payload. Throws AppError E_PROTOCOL with what is wrong. */
export function openEnvelope(raw: RawEnvelope): Envelope {
  const { type } = raw;
  if (!isMessageType(type))
    throw new AppError('E_PROTOCOL', `the message table has no type ${JSON.stringify(type)}`);
  try {
    return { ...raw, type, payload: parsePayload(type, decodePayload(raw.payload)) } as Envelope;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'E_PROTOCOL',
      `the payload of ${type} does not fit its schema: ${shortIssues(cause)}`,
      { cause },
    );
  }
}

function shortIssues(thrown: unknown): string {
  if (!(thrown instanceof Error) || !('issues' in thrown) || !Array.isArray(thrown.issues))
    return String(thrown);
  const issues = thrown.issues as { path?: PropertyKey[]; message?: string }[];
  return issues
    .slice(0, 5)
    .map((issue) => `${issue.path?.map(String).join('.') ?? ''}: ${issue.message ?? ''}`)
    .join('; ');
}
