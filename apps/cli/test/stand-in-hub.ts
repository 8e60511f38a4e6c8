import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  peerId,
  runEvent,
  runView,
  type Envelope,
  type MessageType,
  type PayloadInput,
  type RunEvent,
  type RunView,
} from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { createHub, listen, openTokenBook, type Hub, type Listener } from '@switchyard/transport';

type Answer = { [T in MessageType]: readonly [type: T, payload: PayloadInput<T>] }[MessageType];
/** Answers one request; may send more to whoever asked. */
export type Script = (envelope: Envelope, tell: (type: MessageType, payload: never) => void) => Answer;

/** A real hub on a real socket with a scripted orchestrator behind it. */
export interface StandIn {
  readonly url: string;
  readonly token: string;
  readonly asked: Envelope[];
  /** Sends to everyone who is connected. */
  push<T extends MessageType>(type: T, payload: PayloadInput<T>): void;
  close(): Promise<void>;
}

export async function openStandIn(script: Script): Promise<StandIn> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-stand-in-'));
  const tokens = openTokenBook(join(folder, 'token'), { random: systemRandom, clock: systemClock });
  const asked: Envelope[] = [];
  const hub: Hub = createHub({
    self: peerId.parse('orchestrator'),
    hubName: 'stand-in',
    version: '0.1.0',
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    handler: {
      connected: () => ({ fenced: [] }),
      message: (envelope) => {
        asked.push(envelope);
        const later: [MessageType, never][] = [];
        const [type, payload] = script(envelope, (...more) => later.push(more));
        hub.send(envelope.from, type, payload as never, { replyTo: envelope.id });
        for (const [other, content] of later) hub.send(envelope.from, other, content);
      },
      liveness: () => undefined,
      disconnected: () => undefined,
    },
  });
  const listener: Listener = await listen({
    host: '127.0.0.1',
    port: 0,
    request: (_request, response) => response.end(),
    hub,
    authenticate: (token, lane) => Promise.resolve(tokens.grant(token, lane)),
  });
  return {
    url: listener.url,
    token: tokens.operatorToken,
    asked,
    push: (type, payload) => {
      for (const { id } of hub.peers()) hub.send(id, type, payload);
    },
    close: async () => {
      await hub.close();
      await listener.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const commit = 'a'.repeat(40);
const counts = { total: 2, completed: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, waiting: 0 };

/** A run of two tasks, for scripts. */
export function viewOf(more: Partial<RunView> = {}): RunView {
  const tasks = ['a', 'b'].map((id) => ({
    id,
    kind: 'implement',
    phase: 'pending',
    dependsOn: [],
    workspace: [id],
    attempt: 0,
    round: 1,
    since: 1,
  }));
  return runView.parse({
    run: 'demo-abcdef',
    name: 'demo',
    phase: 'running',
    paused: false,
    createdAt: 1000,
    startedAt: 1000,
    branch: 'switchyard/demo-abcdef',
    base: commit,
    tip: commit,
    progress: counts,
    strategy: { asked: 'auto', chosen: 'max-parallel', reason: 'few' },
    tasks,
    ...more,
  });
}

/** An event of that run. */
export function eventOf(seq: number, kind: RunEvent['kind'], more: Record<string, unknown> = {}): RunEvent {
  return runEvent.parse({
    run: 'demo-abcdef',
    seq,
    at: 1000 + seq * 1000,
    kind,
    text: kind,
    progress: counts,
    ...more,
  });
}
