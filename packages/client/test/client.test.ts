import { AppError, type MessageType } from '@switchyard/protocol';
import { createClient, type SwitchyardClient } from '@switchyard/client';
import { describe, expect, it } from 'vitest';
import { FakeLink, turn } from './fake-link.ts';
import { viewOf } from './run-fixtures.ts';

type Call = [
  name: string,
  call: (client: SwitchyardClient) => Promise<unknown>,
  asked: MessageType,
  payload: unknown,
  answer: { type: MessageType; payload: unknown },
  result: unknown,
];
const view = viewOf('running');
const done = { type: 'done', payload: {} } as const;
const fleet = { hub: 'h', url: 'ws://x/hub', version: '1', peers: [] };
const invited = { url: 'wss://x/hub', fingerprint: 'sha256:0', token: 't', expiresAt: 1 };
const applied = { commit: 'b'.repeat(40), fastForward: true, files: [] };

const calls: Call[] = [
  ['runs', (c) => c.runs(), 'run-list', {}, { type: 'run-listed', payload: { runs: [] } }, []],
  ['run', (c) => c.run('r'), 'run-get', { run: 'r' }, { type: 'run-got', payload: { view } }, view],
  ['cancel', (c) => c.cancel('r', { reason: 'x' }), 'run-cancel', { run: 'r', reason: 'x' }, done, undefined],
  [
    'cancel of a task',
    (c) => c.cancel('r', { taskId: 'A', reason: 'x' }),
    'run-cancel',
    { run: 'r', taskId: 'A', reason: 'x' },
    done,
    undefined,
  ],
  ['pause', (c) => c.pause('r'), 'run-pause', { run: 'r', reason: 'asked by a person' }, done, undefined],
  [
    'pause with a reason',
    (c) => c.pause('r', 'why'),
    'run-pause',
    { run: 'r', reason: 'why' },
    done,
    undefined,
  ],
  ['resume', (c) => c.resume('r'), 'run-resume', { run: 'r' }, done, undefined],
  [
    'answerGate',
    (c) => c.answerGate({ run: 'r', taskId: 'A', approve: true }),
    'gate-answer',
    { run: 'r', taskId: 'A', approve: true, note: '' },
    done,
    undefined,
  ],
  [
    'answerEscalation',
    (c) => c.answerEscalation({ run: 'r', taskId: 'A', action: 'retry', note: 'n' }),
    'escalation-answer',
    { run: 'r', taskId: 'A', action: 'retry', note: 'n' },
    done,
    undefined,
  ],
  [
    'apply',
    (c) => c.apply('r'),
    'run-apply',
    { run: 'r' },
    { type: 'run-applied', payload: applied },
    applied,
  ],
  ['fleet', (c) => c.fleet(), 'fleet-get', {}, { type: 'fleet-got', payload: fleet }, fleet],
  ['revokeWorker', (c) => c.revokeWorker('w'), 'worker-revoke', { peer: 'w' }, done, undefined],
  ['terminateWorker', (c) => c.terminateWorker('w'), 'worker-terminate', { peer: 'w' }, done, undefined],
  ['shutdown', (c) => c.shutdown('x'), 'fleet-shutdown', { reason: 'x' }, done, undefined],
  [
    'invite',
    (c) => c.invite('worker'),
    'invite',
    { role: 'worker' },
    { type: 'invited', payload: invited },
    invited,
  ],
];

describe('the client', () => {
  it.each(calls)(
    '%s asks and takes the answer apart',
    async (_name, call, asked, payload, answer, result) => {
      const link = new FakeLink();
      link.answer = () => answer;
      expect(await call(createClient(link))).toEqual(result);
      expect(link.asked).toMatchObject([{ type: asked, payload }]);
    },
  );

  it('gives applying the time that a verification needs', async () => {
    const link = new FakeLink();
    link.answer = () => ({ type: 'run-applied', payload: applied });
    await createClient(link).apply('r');
    await createClient(link).apply('r', { timeoutMs: 5 });
    expect(link.asked.map((asked) => asked.timeoutMs)).toEqual([3_600_000, 5]);
  });

  it('throws what the orchestrator answers, and E_PROTOCOL for another answer', async () => {
    const link = new FakeLink();
    const client = createClient(link);
    link.answer = () => new AppError('E_RUN_UNKNOWN', 'no such run');
    await expect(client.run('r')).rejects.toMatchObject({ code: 'E_RUN_UNKNOWN' });
    link.answer = () => done;
    await expect(client.run('r')).rejects.toMatchObject({ code: 'E_PROTOCOL' });
  });

  it('closes its link', async () => {
    const link = new FakeLink();
    await createClient(link).close();
    expect(link.closed).toBe(true);
  });
});

describe('logs', () => {
  const line = (text: string) => ({ daemon: 'w', line: text });

  it('come first from the past, then as they are written, none lost between', async () => {
    const link = new FakeLink();
    const lines: string[] = [];
    const gaps: number[] = [];
    const opening = createClient(link).logs({ worker: 'w' }, ({ line: text }) => lines.push(text), {
      tail: 5,
      onGap: (dropped) => gaps.push(dropped),
    });
    link.push('log-line', line('second'));
    link.settle('logs-got', { lines: [line('first')] });
    const feed = await opening;
    link.push('log-line', line('third'));
    link.push('log-line', line('of another feed'), 'request-77');
    link.push('gap', { dropped: 4, since: 1 });
    expect(lines).toEqual(['first', 'second', 'third']);
    expect(gaps).toEqual([4]);
    expect(link.asked[0]?.payload).toEqual({ filter: { worker: 'w' }, tail: 5, follow: true });
    feed.close();
    link.push('log-line', line('late'));
    expect(lines).toHaveLength(3);
    expect(link.listeners).toBe(0);
  });

  it('go on after a reconnect without telling the past again', async () => {
    const link = new FakeLink();
    const lines: string[] = [];
    link.answer = () => ({ type: 'logs-got', payload: { lines: [] } });
    await createClient(link).logs({}, ({ line: text }) => lines.push(text));
    link.connect();
    await turn();
    link.push('log-line', line('after'));
    expect(link.asked[1]?.payload).toMatchObject({ tail: 0, follow: true });
    expect(lines).toEqual(['after']);
  });

  it('that are not followed leave nothing behind', async () => {
    const link = new FakeLink();
    link.answer = () => ({ type: 'logs-got', payload: { lines: [line('x')] } });
    const lines: string[] = [];
    await createClient(link).logs({}, ({ line: text }) => lines.push(text), { follow: false });
    expect(lines).toEqual(['x']);
    expect(link.listeners).toBe(0);
  });

  it('that are refused throw and leave nothing behind', async () => {
    const link = new FakeLink();
    link.answer = () => new AppError('E_STORAGE', 'no logs');
    await expect(createClient(link).logs({}, () => undefined)).rejects.toMatchObject({ code: 'E_STORAGE' });
    expect(link.listeners).toBe(0);
  });
});
