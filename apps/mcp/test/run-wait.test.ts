import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { readEnvironment } from '@switchyard/access';
import { createClient, type ClientLink, type SwitchyardClient } from '@switchyard/client';
import { messageId, peerId, runEvent, runSummary, runView, type Envelope } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { Desk } from '../src/desk.ts';
import { makeServer } from '../src/server.ts';
import { Station } from '../src/station.ts';

const commit = 'a'.repeat(40);
const none = { total: 1, completed: 0, failed: 0, skipped: 0, cancelled: 0, running: 1, waiting: 0 };
const summary = runSummary.parse({
  ...{ run: 'run-1', name: 'a run', phase: 'running', paused: false, createdAt: 1 },
  ...{ branch: 'switchyard/run-1', base: commit, tip: commit, progress: none },
});
const view = runView.parse({
  ...summary,
  strategy: { asked: 'auto', chosen: 'max-parallel', reason: 'few tasks' },
  tasks: [
    {
      ...{ id: 'A', kind: 'implement', phase: 'running', dependsOn: [], workspace: ['a'] },
      ...{ attempt: 1, round: 1, since: 1 },
    },
  ],
});

/** A link whose orchestrator has one run that goes on and on. */
class RunningLink implements ClientLink {
  readonly handlers = new Set<(envelope: Envelope) => void>();
  readonly asked: string[] = [];

  request(type: string): Promise<Envelope> {
    this.asked.push(type);
    const answers: Record<string, Pick<Envelope, 'type' | 'payload'>> = {
      'run-list': { type: 'run-listed', payload: { runs: [summary] } },
      'run-watch': { type: 'run-watched', payload: { view, seq: 1 } },
      'run-get': { type: 'run-got', payload: { view } },
    };
    return Promise.resolve(envelopeOf(answers[type] ?? { type: 'done', payload: {} }));
  }

  onMessage(handler: (envelope: Envelope) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  tell(seq: number, kind: string, text: string): void {
    const payload = runEvent.parse({ run: 'run-1', seq, at: seq, kind, taskId: 'A', text, progress: none });
    for (const handler of this.handlers) handler(envelopeOf({ type: 'run-event', payload }));
  }
}

function envelopeOf(said: Pick<Envelope, 'type' | 'payload'>): Envelope {
  const [from, to] = [peerId.parse('orchestrator'), peerId.parse('mcp-1')];
  return { id: messageId.parse('m'), from, to, at: 1, ...said } as Envelope;
}

/** The way to an orchestrator that is there. */
class OpenStation extends Station {
  client: SwitchyardClient | undefined;

  override ask<Result>(work: (client: SwitchyardClient) => Promise<Result>): Promise<Result> {
    if (this.client === undefined) throw new Error('not open');
    return work(this.client);
  }
}

let link: RunningLink;
let agent: Client;

beforeEach(async () => {
  link = new RunningLink();
  const config = readConfig([], readEnvironment({}), '/');
  const station = new OpenStation(config, () => undefined);
  station.client = createClient(link);
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await makeServer(new Desk(config, station)).connect(theirs);
  agent = new Client({ name: 'agent', version: '1' });
  await agent.connect(ours);
});
afterEach(() => agent.close());

const wait = { name: 'run_wait', arguments: { timeoutSeconds: 3000 } };
const followed = (): Promise<void> => vi.waitFor(() => expect(link.handlers.size).toBe(1), 60_000);

describe('waiting for a run', () => {
  it('ends with the client that cancels it, and leaves nothing behind', async () => {
    const gone = new AbortController();
    const waiting = agent.callTool(wait, { signal: gone.signal });
    await followed();
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await vi.waitFor(() => expect(link.handlers.size).toBe(0), 60_000);
  });

  it('ends with the client that vanishes, and leaves nothing behind', async () => {
    const waiting = agent.callTool(wait).catch((error: unknown) => error);
    await followed();
    await agent.close();
    expect(await waiting).toBeInstanceOf(Error);
    await vi.waitFor(() => expect(link.handlers.size).toBe(0), 60_000);
  });

  it('tells what happens meanwhile, each thing once and in order, and nothing that happened before', async () => {
    const progress: { progress: number; message?: string }[] = [];
    const waiting = agent.callTool(wait, {
      onprogress: ({ progress: at, message }) => progress.push({ progress: at, ...(message && { message }) }),
    });
    await followed();
    await vi.waitFor(() => expect(link.asked).toContain('run-watch'), 60_000);
    await new Promise((resolve) => setImmediate(resolve));
    link.tell(1, 'task-assigned', 'A was given away before');
    link.tell(2, 'task-running', 'A runs');
    link.tell(3, 'task-retrying', 'A is tried again');
    link.tell(4, 'verifying', 'the result is verified');
    await vi.waitFor(() => expect(progress.length).toBe(2), 60_000);
    expect(progress).toEqual([
      { progress: 1, message: '0/1: A is tried again' },
      { progress: 2, message: '0/1: the result is verified' },
    ]);
    link.tell(5, 'task-failed', 'A failed');
    link.tell(6, 'task-waiting', 'A waits');
    await agent.close();
    await waiting.catch(() => undefined);
  });

  it('answers with where the run stands when its time is over', async () => {
    const args = { timeoutSeconds: 0 };
    const { structuredContent } = await agent.callTool({ name: 'run_wait', arguments: args });
    expect(structuredContent).toMatchObject({
      outcome: 'timeout',
      status: { run: 'run-1', phase: 'running' },
    });
    expect(link.handlers.size).toBe(0);
  });
});
