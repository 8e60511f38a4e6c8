import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { envelopeHead, registry, type MessageType } from '@switchyard/protocol';
import { quickCheckOf } from '../src/quick-check.ts';
import { arbitraryPayload } from './arbitrary-payload.ts';

const types = Object.keys(registry) as MessageType[];

/** What the quick check promises: where it says yes, the schema takes the value and changes nothing in it. */
function expectSound(schema: z.ZodType, isQuick: (value: unknown) => boolean, value: unknown): void {
  if (!isQuick(value)) return;
  const checked = schema.safeParse(value);
  expect(checked.success).toBe(true);
  expect(checked.data).toEqual(value);
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, '', 0, -1, 1.5, NaN, Infinity, 2 ** 53, true, [], {}, [
    undefined,
  ]),
  fc.string({ maxLength: 300 }),
  fc.integer(),
  fc.constantFrom('a'.repeat(9_000), '../..', '-x', 'run id', new Uint8Array(2), new Date(0), ['x'], {
    a: 1,
  }),
);

interface Spoiling {
  readonly junk: unknown;
  /** At the end of the path: 0 gives a new neighbour, 1 takes out, 2 puts in the place of what is there. */
  readonly how: number;
}

/** Changes one place of a value, which a path of numbers leads to. */
function spoilt(value: unknown, [at = 0, ...deeper]: readonly number[], by: Spoiling): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return by.junk;
  const entries = Object.entries(value);
  const place = at % Math.max(1, entries.length);
  const entry = entries[place];
  if (entry === undefined || (deeper.length === 0 && by.how === 0)) entries.push(['more', by.junk]);
  else if (deeper.length === 0 && by.how === 1) entries.splice(place, 1);
  else entries[place] = [entry[0], spoilt(entry[1], deeper, by)];
  return Array.isArray(value) ? entries.map(([, each]) => each as unknown) : Object.fromEntries(entries);
}

describe('the quick check', () => {
  it.each(types)('of %s never takes what the schema refuses or would change', (type) => {
    const schema = registry[type].payload;
    const isQuick = quickCheckOf(schema);
    fc.assert(
      fc.property(
        arbitraryPayload(type),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
        fc.record({ junk, how: fc.nat(2) }),
        (value, path, by) => {
          expectSound(schema, isQuick, value);
          expectSound(schema, isQuick, spoilt(value, path, by));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes what a schema answered, for every message that is sent for each task', () => {
    const frequent: MessageType[] = [
      'task-assignment',
      'task-accepted',
      'task-completed',
      'task-progress',
      'ack',
    ];
    frequent.push(
      'heartbeat',
      'review-assignment',
      'review-completing',
      'review-approved',
      'review-rejected',
    );
    // A plan may be of ten thousand tasks.
    for (const type of [...frequent, 'task-failed', 'log-line', 'run-event', 'run-submit'] as const) {
      const isQuick = quickCheckOf(registry[type].payload);
      const property = fc.property(arbitraryPayload(type), (value) => {
        const checked = registry[type].payload.safeParse(value);
        return !checked.success || isQuick(checked.data);
      });
      fc.assert(property, { numRuns: 40 });
    }
  });

  it('takes the head of an envelope, and none with a strange field', () => {
    const isHead = quickCheckOf(envelopeHead);
    const head = { id: 'a-1', type: 'ack', from: 'a', to: 'b', at: 1, payload: new Uint8Array(1) };
    expect(isHead(head)).toBe(true);
    expect(isHead({ ...head, fence: 1, replyTo: 'b-1' })).toBe(true);
    for (const wrong of [
      { at: -1 },
      { at: 1.5 },
      { from: '../a' },
      { payload: 'x' },
      { more: 1 },
      { fence: 0 },
    ])
      expect(isHead({ ...head, ...wrong })).toBe(false);
  });

  it('leaves to the schema what has an answer of its own', () => {
    const filled = quickCheckOf(z.object({ a: z.string().default('x') }));
    expect([filled({}), filled({ a: 'y' })]).toEqual([false, true]);
    const partly = quickCheckOf(z.object({ a: z.string().default('x') }).partial());
    expect([partly({}), partly({ a: undefined }), partly({ a: 'y' })]).toEqual([false, false, true]);
    const either = quickCheckOf(
      z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.string() })]),
    );
    expect(either({ a: 'x', b: 'y' })).toBe(false);
    expect(quickCheckOf(z.string().refine((text) => text === 'x'))('x')).toBe(false);
    expect(quickCheckOf(z.string().trim())('x ')).toBe(false);
    expect(quickCheckOf(z.coerce.number())('1')).toBe(false);
    expect(quickCheckOf(z.record(z.string(), z.number()))(JSON.parse('{"__proto__": 1}'))).toBe(false);
    expect(quickCheckOf(z.strictObject({}))({ a: 1 })).toBe(false);
    expect(quickCheckOf(z.array(z.string()))(Object.assign([], { length: 1 }))).toBe(false);
  });
});
