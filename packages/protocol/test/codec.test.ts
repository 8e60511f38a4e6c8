import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import {
  AppError,
  decodeFrame,
  decodePayload,
  encodeEnvelope,
  encodePayload,
  joinFrames,
  messageId,
  openEnvelope,
  peerId,
  registry,
  type MessageType,
  type RawEnvelope,
} from '@switchyard/protocol';
import { arbitraryPayload } from './arbitrary-payload.ts';

const types = Object.keys(registry) as MessageType[];

function envelope(type: string, payload: Uint8Array): RawEnvelope {
  return {
    id: messageId.parse('m-1'),
    type,
    from: peerId.parse('worker-1'),
    to: peerId.parse('orchestrator'),
    at: 1_700_000_000_000,
    payload,
  };
}

const valid = encodeEnvelope(envelope('ack', encodePayload({ of: ['m-0'] })));
const numbers = Array.from({ length: 128 }, (_, index) => index);
const numberBytes = encodePayload(numbers);

/** What came before left nothing behind in the decoder: records are numbers 64 to 127 where they are known. */
function requireSound(): void {
  expect(decodePayload(numberBytes)).toEqual(numbers);
  const [raw] = decodeFrame(valid);
  expect(raw && openEnvelope(raw).payload).toEqual({ of: ['m-0'] });
}

describe('codec', () => {
  it.each(types)('carries every payload of %s unchanged', (type) => {
    fc.assert(
      fc.property(arbitraryPayload(type), (payload) => {
        const expected: unknown = registry[type].payload.parse(payload);
        const [raw, ...rest] = decodeFrame(encodeEnvelope(envelope(type, encodePayload(expected))));
        expect(rest).toEqual([]);
        const opened = raw && openEnvelope(raw);
        expect(opened?.payload).toEqual(expected);
        expect(opened?.type).toBe(type);
      }),
      { numRuns: 25 },
    );
  });

  it('reads coalesced frames back in order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 30 }), (chosen) => {
        const parts = chosen.map((type, index) => encodeEnvelope(envelope(type, encodePayload({ index }))));
        const read = decodeFrame(joinFrames(parts));
        expect(read.map((raw) => raw.type)).toEqual(chosen);
        expect(read.map((raw) => decodePayload(raw.payload))).toEqual(chosen.map((_, index) => ({ index })));
      }),
    );
  });

  it('keeps fence and replyTo, and leaves them out where there are none', () => {
    const bare = decodeFrame(valid)[0];
    expect(bare && 'fence' in bare).toBe(false);
    const full = encodeEnvelope({
      ...envelope('ack', encodePayload({ of: ['x'] })),
      replyTo: messageId.parse('q'),
    });
    expect(decodeFrame(full)[0]).toMatchObject({ replyTo: 'q' });
  });

  it('does not decode the payload to read the head', () => {
    const [raw] = decodeFrame(encodeEnvelope(envelope('ack', Uint8Array.of(0xc1))));
    expect(raw?.payload).toEqual(Buffer.from([0xc1]));
    expect(() => raw && openEnvelope(raw)).toThrow(AppError);
  });
});

describe('hostile frames', () => {
  const packr = new Packr({ useRecords: false });
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['the byte msgpack never uses', Uint8Array.of(0xc1)],
    ['a truncated envelope', valid.subarray(0, valid.length - 3)],
    ['an envelope and rubbish', joinFrames([valid, Uint8Array.of(0xc1, 0xff)])],
    ['a number', packr.pack(7)],
    ['an array', packr.pack([1, 2, 3])],
    ['an array of four thousand million elements', Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map of four thousand million entries', Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['bytes of four gigabytes', Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)],
    ['text of four gigabytes', Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['a hundred thousand nested arrays', new Uint8Array(100_000).fill(0x91)],
    ['a hundred thousand nested maps', new Uint8Array(100_000).fill(0x81)],
    ['a record definition', Uint8Array.of(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
    ['a use of an unknown record', Uint8Array.of(0x40)],
    ['bundled strings', Uint8Array.of(0xd6, 0x62, 0, 0, 0, 9, 0x93, 1, 2, 3)],
    ['a pointer to nothing', Uint8Array.of(0xd6, 0x70, 0, 0, 0, 1)],
    ['a regular expression', packr.pack({ type: /(a+)+$/u })],
    ['a date for an id', packr.pack({ ...envelope('ack', encodePayload({})), id: new Date() })],
    ['a head without a payload', packr.pack({ ...envelope('ack', encodePayload({})), payload: undefined })],
    ['text for a payload', packr.pack({ ...envelope('ack', encodePayload({})), payload: 'text' })],
    ['an id with a slash', packr.pack({ ...envelope('ack', encodePayload({})), id: '../../etc' })],
    ['a type of a megabyte', packr.pack({ ...envelope('ack', encodePayload({})), type: 'x'.repeat(1e6) })],
    ['a negative time', packr.pack({ ...envelope('ack', encodePayload({})), at: -1 })],
    ['an infinite time', packr.pack({ ...envelope('ack', encodePayload({})), at: Infinity })],
  ];

  it.each(cases)('refuses %s, and reads the next frame as if nothing had been', (_name, frame) => {
    expect(() => decodeFrame(frame)).toThrow(expect.objectContaining({ code: 'E_PROTOCOL' }) as Error);
    requireSound();
  });

  it('throws nothing but E_PROTOCOL, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        attempt(() => decodeFrame(bytes));
        requireSound();
      }),
      { numRuns: 3000 },
    );
  });

  it('throws nothing but E_PROTOCOL for a damaged envelope', () => {
    const change = fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const frame = Uint8Array.from(valid);
        for (const [at, byte] of changes) frame[at] = byte;
        attempt(() => decodeFrame(frame).map(openEnvelope));
        requireSound();
      }),
      { numRuns: 3000 },
    );
  });

  it('does not let a payload touch prototypes', () => {
    const evil = Uint8Array.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x81, 0xa1, 0x78, 0x01]);
    const read = decodePayload(evil) as Record<string, unknown>;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(({} as { x?: number }).x).toBeUndefined();
    expect(() => openEnvelope(envelope('__proto__', evil))).toThrow(/no type "__proto__"/);
    expect(() => openEnvelope(envelope('constructor', evil))).toThrow(/no type "constructor"/);
  });

  it('says which field of a payload is wrong', () => {
    const raw = envelope('ack', encodePayload({ of: ['../x'] }));
    expect(() => openEnvelope(raw)).toThrow(
      /the payload of ack does not fit its schema: of\.0: not a message id/,
    );
  });
});

/** Only E_PROTOCOL may come out. */
function attempt(decode: () => unknown): void {
  try {
    decode();
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'E_PROTOCOL' });
  }
}
