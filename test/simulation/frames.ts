import {
  decodeFrame,
  decodePayload,
  encodeEnvelope,
  encodePayload,
  messageId,
  messageOf,
  type PeerId,
  type RawEnvelope,
} from '@switchyard/protocol';
import type { World } from './world.ts';

/** How a version of a peer writes and reads what goes over its connection. */
export interface Lens {
  readonly write: (frame: Uint8Array) => readonly Uint8Array[];
  readonly read: (frame: Uint8Array) => Uint8Array;
}

/** This version. */
export const sameVersion: Lens = { write: (frame) => [frame], read: (frame) => frame };

/** A program from before: it leaves out what has come since, and knows no message that has come since. */
export const olderVersion: Lens = {
  write: (frame) => decodeFrame(frame).flatMap((raw) => older(raw) ?? []),
  read: (frame) => (isNoise(frame) ? frame : readByOlder(frame)),
};

/** A program from later: it says more than this one understands. */
export const newerVersion: Lens = {
  write: (frame) => decodeFrame(frame).map(newer),
  read: (frame) => frame,
};

/** What is in a frame, for people; heartbeats are not worth a word. */
export function namesOf(frame: Uint8Array): string {
  try {
    return decodeFrame(frame)
      .filter(({ type }) => type !== 'heartbeat')
      .map(({ type, fence, from }) => `${type}${fence === undefined ? '' : ` #${fence}`} of ${from}`)
      .join(', ');
  } catch (error) {
    return `noise (${messageOf(error)})`;
  }
}

/** Whether a frame begins a connection: those are said once. */
export function isGreeting(frame: Uint8Array): boolean {
  return decodeFrame(frame).some(({ type }) => type === 'hello' || type === 'welcome');
}

/** Fields that have a default, by type: who knows them not leaves them out. */
const since: Readonly<Record<string, readonly string[]>> = {
  hello: ['holding', 'reviewing'],
  heartbeat: ['freeSlots'],
  escalation: ['attemptedSolutions', 'wip'],
  'task-failed': ['wip'],
};
const unsaid: ReadonlySet<string> = new Set(['task-progress', 'review-completing', 'task-wip', 'task-lost']);

function older(raw: RawEnvelope): Uint8Array | undefined {
  if (unsaid.has(raw.type)) return undefined;
  const payload = decodePayload(raw.payload) as Record<string, unknown>;
  for (const name of since[raw.type] ?? []) delete payload[name];
  if (raw.type === 'hello') payload['version'] = '0.0.9';
  return encodeEnvelope({ ...raw, payload: encodePayload(payload) });
}

function unknownToOlder(raw: RawEnvelope): RawEnvelope {
  return raw.type === 'task-fenced' ? { ...raw, type: 'task-fenced-of-later' } : raw;
}

function newer(raw: RawEnvelope): Uint8Array {
  const payload = decodePayload(raw.payload) as Record<string, unknown>;
  payload['future'] = { more: [1, null, 'than you know'] };
  if (raw.type === 'hello') payload['version'] = '9.9.9';
  const envelope = { ...raw, payload: encodePayload(payload), lineage: 'unknown here' };
  return encodeEnvelope(envelope);
}

function readByOlder(frame: Uint8Array): Uint8Array {
  return Buffer.concat(decodeFrame(frame).map((raw) => encodeEnvelope(unknownToOlder(raw))));
}

function isNoise(frame: Uint8Array): boolean {
  try {
    decodeFrame(frame);
    return false;
  } catch {
    return true; // it is read as it came, and whoever reads it says so
  }
}

/** A frame that the table refuses, and what is wrong with it. */
export interface Garbage {
  readonly what: string;
  readonly frame: Uint8Array;
}

/** A frame that breaks the message table as `from` might send it to `to`. */
export function garbage(world: World, from: PeerId, to: PeerId): Garbage {
  const what = world.pick([
    'noise',
    'type',
    'sender',
    'role',
    'payload',
    'other-payload',
    'receiver',
    'greeting',
  ] as const);
  const head = { id: messageId.parse(`bad-${world.events}`), from, to, at: 1, payload: encodePayload({}) };
  switch (what) {
    case 'noise':
      return { what, frame: Uint8Array.from({ length: 40 }, () => world.between(0, 255)) };
    case 'type':
      return { what, frame: encodeEnvelope({ ...head, type: 'task-telemetry' }) };
    case 'sender':
      return { what, frame: encodeEnvelope({ ...head, type: 'heartbeat', from: to }) };
    case 'role':
      return { what, frame: encodeEnvelope({ ...head, type: 'run-list' }) };
    case 'payload':
      return {
        what,
        frame: encodeEnvelope({ ...head, type: 'heartbeat', payload: encodePayload({ progress: 'x' }) }),
      };
    case 'other-payload': {
      const type = world.pick([
        'task-completed',
        'task-failed',
        'review-approved',
        'task-assignment',
      ] as const);
      return { what, frame: encodeEnvelope({ ...head, type, payload: encodePayload({ progress: 1 }) }) };
    }
    case 'receiver':
      return { what, frame: encodeEnvelope({ ...head, type: 'heartbeat', to: from }) };
    case 'greeting':
      return { what, frame: encodeEnvelope({ ...head, type: 'hello' }) };
  }
}
