import { AppError, runId, type PlanTask } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

const nowhere = runId.parse('no-such-run');

async function running(...tasks: PlanTask[]) {
  const bench = new Bench();
  const client = await bench.client('client-1');
  const run = await client.api.submit(buildPlan(tasks.length === 0 ? [buildTask({ id: 'a' })] : tasks));
  await settle();
  return { bench, client, run };
}

describe('a request', () => {
  it('for a run that is not there is answered with E_RUN_UNKNOWN', async () => {
    const { client } = await running();
    const task = buildTask({ id: 'b' });
    const asked = [
      client.api.run(nowhere),
      client.api.cancel(nowhere, { reason: '' }),
      client.api.pause(nowhere),
      client.api.resume(nowhere),
      client.api.addTasks(nowhere, [task]),
      client.api.answerGate({ run: nowhere, taskId: task.id, approve: true }),
      client.api.answerEscalation({ run: nowhere, taskId: task.id, action: 'retry' }),
      client.api.report(nowhere),
      client.api.apply(nowhere),
      client.api.watch(nowhere).opened,
    ];
    for (const answer of asked) await expect(answer).rejects.toMatchObject({ code: 'E_RUN_UNKNOWN' });
  });

  it('that cannot be met now says why, and changes nothing', async () => {
    const { bench, client, run } = await running();
    const facts = [...bench.journal.read()].length;
    await expect(client.api.answerGate({ run, taskId: 'a', approve: true })).rejects.toMatchObject({
      code: 'E_RUN_STATE',
      message: 'task a waits for no gate: it is ready',
    });
    await expect(client.api.cancel(run, { taskId: 'x', reason: '' })).rejects.toMatchObject({
      code: 'E_TASK_UNKNOWN',
    });
    expect([...bench.journal.read()]).toHaveLength(facts);
  });

  it('that meets a bug is answered, and the daemon goes on', async () => {
    const { bench, client, run } = await running();
    bench.repository.before = () => {
      throw new TypeError('x is not a function');
    };
    await expect(client.api.submit(buildPlan([buildTask({ id: 'a' })]))).rejects.toMatchObject({
      code: 'E_INTERNAL',
    });
    expect(bench.fatal).toEqual([]);
    expect((await client.api.run(run)).phase).toBe('running');
  });

  it('whose answer fits into no message is answered with E_TOO_LARGE', async () => {
    const { bench, client } = await running();
    const { hub } = bench;
    const send = hub?.send.bind(hub);
    if (hub === undefined || send === undefined) throw new Error('no hub');
    hub.send = (to, type, payload, extra) => {
      if (type === 'run-listed') throw new AppError('E_PROTOCOL', 'a run-listed of 17 MB');
      return send(to, type, payload, extra);
    };
    await expect(client.api.runs()).rejects.toMatchObject({ code: 'E_TOO_LARGE' });
    expect(bench.fatal).toEqual([]);
  });
});

describe('submitting', () => {
  it('makes the branch before the journal speaks of the run', async () => {
    const { bench, client, run } = await running();
    expect(bench.repository.branches.get(run)).toBe(bench.repository.head);
    expect(await client.api.runs()).toMatchObject([
      { run, name: 'demo', phase: 'running', branch: `switchyard/${run}` },
    ]);
  });

  it('a plan whose graph is wrong is refused, and nothing is left of it', async () => {
    const bench = new Bench();
    const client = await bench.client('client-1');
    const tasks = [buildTask({ id: 'a', dependsOn: ['b'] }), buildTask({ id: 'b', dependsOn: ['a'] })];
    await expect(client.api.submit(buildPlan(tasks))).rejects.toMatchObject({ code: 'E_PLAN_INVALID' });
    expect(bench.repository.branches.size).toBe(0);
    expect(await client.api.runs()).toEqual([]);
  });

  it('onto a base that is not there is refused', async () => {
    const bench = new Bench();
    const client = await bench.client('client-1');
    await expect(
      client.api.submit(buildPlan([buildTask({ id: 'a' })], { base: 'no-such-branch' })),
    ).rejects.toMatchObject({ code: 'E_BASE_UNKNOWN' });
  });

  it('gives attempts what they include, and the set-up that the lock file asks for', async () => {
    const bench = new Bench();
    bench.repository.rootNames.add('package-lock.json');
    const worker = await BenchWorker.connect(bench, 'worker-1');
    await bench.submit(buildPlan([buildTask({ id: 'a' })], { include: ['.env.test'] }));
    const { include, setup } = worker.assignment('a');
    expect(bench.repository.commits.has(include ?? bench.repository.head)).toBe(true);
    expect(include).toBeDefined();
    expect(setup?.run).toEqual(['npm ci --no-audit --no-fund']);
  });
});

describe('a running run', () => {
  it('is paused: what runs goes on, nothing new starts, until it is resumed', async () => {
    const { bench, client, run } = await running(
      buildTask({ id: 'a' }),
      buildTask({ id: 'b', dependsOn: ['a'] }),
    );
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.accept(worker.assignment('a'));
    await client.api.pause(run, 'lunch');
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    await bench.clock.advance(10_000);
    expect(bench.phase(run, 'b')).toBe('ready');
    expect(await client.api.run(run)).toMatchObject({ paused: true, reason: 'lunch' });
    await client.api.resume(run);
    await bench.until(() => worker.assignments.length === 2);
  });

  it('is cancelled: its workers are told, its report written', async () => {
    const { bench, client, run } = await running();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.accept(worker.assignment('a'));
    await settle();
    await client.api.cancel(run, { reason: 'enough' });
    await bench.until(() => worker.count('task-cancel') === 1);
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.reports.written.has(run) && worker.link.unacknowledged === 0);
    expect(bench.reports.written.get(run)?.view).toMatchObject({ phase: 'cancelled', reason: 'enough' });
    await expect(client.api.pause(run)).rejects.toMatchObject({ code: 'E_RUN_STATE' });
  });

  it('grows by tasks that the checks let pass', async () => {
    const { bench, client, run } = await running();
    await client.api.addTasks(run, [buildTask({ id: 'b', dependsOn: ['a'] })]);
    expect(bench.phase(run, 'b')).toBe('pending');
    for (const wrong of [
      buildTask({ id: 'a' }),
      buildTask({ id: 'c', dependsOn: ['nobody'] }),
      buildTask({ id: 'd', more: { workspace: ['../outside'] } }),
      buildTask({ id: 'e', more: { workspace: [] } }),
    ])
      await expect(client.api.addTasks(run, [wrong])).rejects.toMatchObject({ code: 'E_PLAN_INVALID' });
    expect(bench.view(run).tasks.size).toBe(2);
  });

  it('grows by no task whose agent or MCP server nobody knows', async () => {
    const names = { agents: { cli: ['codex'], acp: [] }, mcpServers: ['some'] };
    const bench = new Bench({ settings: { names } });
    await BenchWorker.connect(bench, 'w1', { labels: ['agent:theirs:cli'] });
    const client = await bench.client('client');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const by = (id: string, agent: string) =>
      buildTask({ id, more: { executor: { kind: 'cli', agent }, mcpServers: ['some'] } });
    await client.api.addTasks(run, [by('b', 'codex'), by('c', 'theirs')]);
    await expect(client.api.addTasks(run, [by('d', 'nobody')])).rejects.toMatchObject({
      code: 'E_PLAN_INVALID',
      message: expect.stringContaining('use one of: codex, theirs') as string,
    });
    const server = buildTask({ id: 'e', more: { mcpServers: ['none'] } });
    await expect(client.api.addTasks(run, [server])).rejects.toMatchObject({ code: 'E_PLAN_INVALID' });
  });

  it('answers an attempt that asks while it works, over a lost connection too', async () => {
    const { bench, client, run } = await running();
    const worker = await BenchWorker.connect(bench, 'w1');
    await bench.until(() => worker.assignments.length === 1);
    worker.accept(worker.assignment('a'));
    const { attempt, fence, taskId } = worker.assignment('a');
    const ask = (question: string) =>
      worker.link.send(
        'task-question',
        { run, taskId, attempt, fence, question, text: 'which database?', waitMs: 600_000 },
        { fence },
      );
    ask('question-1');
    await settle();
    const { tasks } = await client.api.run(run);
    expect(tasks[0]?.waiting).toMatchObject({ kind: 'question', text: 'which database?' });
    await client.api.answerEscalation({ run, taskId, action: 'retry', note: 'the small one' });
    await bench.until(() => worker.count('task-answer') === 1);
    const answered = { taskId, fence, question: 'question-1', answer: 'the small one' };
    expect(worker.received.at(-1)?.payload).toMatchObject(answered);
    ask('question-1');
    await bench.until(() => worker.count('task-answer') === 2);
    expect(worker.received.at(-1)?.payload).toMatchObject(answered);
  });

  it('waits at a gate for a person', async () => {
    const { bench, client, run } = await running(
      buildTask({ id: 'ask', kind: 'manual' }),
      buildTask({ id: 'b', dependsOn: ['ask'] }),
    );
    expect(bench.phase(run, 'ask')).toBe('waiting');
    await client.api.answerGate({ run, taskId: 'ask', approve: true, note: 'fine' });
    expect(bench.phase(run, 'b')).toBe('ready');
  });

  it('gives what a gate asked for to the workers of the tasks behind it', async () => {
    const inputs = [{ name: 'version', text: '', choices: [] }];
    const { bench, client, run } = await running(
      { ...buildTask({ id: 'ask', kind: 'manual' }), gate: { mode: 'approve', waitMs: 60_000, inputs } },
      buildTask({ id: 'b', dependsOn: ['ask'] }),
    );
    const answer = { run, taskId: 'ask', approve: true };
    await expect(client.api.answerGate(answer)).rejects.toMatchObject({ code: 'E_GATE_INPUTS' });
    await client.api.answerGate({ ...answer, inputs: { version: '1.4' } });
    const worker = await BenchWorker.connect(bench, 'worker-1');
    expect(worker.assignment('b').inputs).toEqual({ version: '1.4' });
  });
});

describe('the report of a run', () => {
  it('is given while it goes on, and with its files when it has ended', async () => {
    const { bench, client, run } = await running();
    const open = await client.api.report(run);
    expect(open).toMatchObject({ report: { view: { phase: 'running' }, sandbox: 'unused' } });
    expect(open.files).toBeUndefined();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.reports.written.has(run));
    const transcript = 'peers/worker-1/transcripts/a.ndjson';
    bench.reports.transcripts.set(`${run} a 1 worker-1`, transcript);
    const { report, files } = await client.api.report(run);
    expect(report.tasks[0]?.attempts[0]?.transcript).toBe(transcript);
    expect(files?.html).toBe('report.html');
    expect(report.tasks[0]).toMatchObject({
      filesChanged: ['a/index.ts'],
      attempts: [{ outcome: 'accepted' }],
    });
  });
});

describe('applying', () => {
  it('is refused while nothing is integrated', async () => {
    const { bench, client, run } = await running();
    await expect(client.api.apply(run)).rejects.toMatchObject({ code: 'E_RUN_STATE' });
    expect(bench.repository.applied).toEqual([]);
  });

  it('gives the tip of the run, and verifies again where the head has moved', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    const verify = { run: ['npm test'], when: 'batch', timeoutMs: 60_000 };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })], { verify }));
    await bench.until(() => bench.reports.written.has(run));
    const client = await bench.client('client-1');
    expect(await client.api.apply(run)).toMatchObject({ commit: bench.view(run).tip, fastForward: true });
    expect(bench.verifier.asked).toHaveLength(1);
    bench.repository.headMoved = true;
    expect(await client.api.apply(run)).toMatchObject({ fastForward: false });
    expect(bench.verifier.asked).toHaveLength(2);
    bench.verifier.judge = () => false;
    await expect(client.api.apply(run)).rejects.toMatchObject({ code: 'E_APPLY_UNVERIFIED' });
  });
});

describe('requests of the whole', () => {
  it('invite is refused without TLS', async () => {
    const { client } = await running();
    await expect(client.api.invite('worker')).rejects.toMatchObject({ code: 'E_BIND_INSECURE' });
  });

  it('shutdown is answered, and then done', async () => {
    const { bench, client } = await running();
    await client.api.shutdown('asked by a test');
    expect(bench.stopped).toEqual(['asked by a test']);
  });

  it('takes the token of an invited worker away, and what it holds is lost at once', async () => {
    const { bench, client } = await running();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    await settle();
    expect(worker.assignments).toHaveLength(1);
    const refused = client.api.revokeWorker('worker-1');
    await expect(refused).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('workers stop'),
    });
    bench.invited.add('worker-1');
    await client.api.revokeWorker('worker-1');
    await settle();
    const another = await BenchWorker.connect(bench, 'worker-2');
    await settle();
    expect(another.assignments.map(({ attempt }) => attempt)).toEqual([2]);
  });

  it('nobody else than a client may ask', async () => {
    const { bench } = await running();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.link.send('fleet-shutdown', { reason: 'ha' });
    await settle();
    expect(worker.refused.map(({ code }) => code)).toEqual(['E_PROTOCOL']);
    expect(bench.stopped).toEqual([]);
  });
});

describe('logs', () => {
  it('come from the source with the filter, and end when their reader leaves', async () => {
    const { bench, client } = await running();
    bench.logs.earlier = [
      { daemon: 'worker-1', line: 'one' },
      { daemon: 'worker-1', line: 'two' },
    ];
    const lines: string[] = [];
    await client.api.logs({ worker: 'worker-1' }, ({ line }) => lines.push(line), { tail: 1 });
    bench.logs.write('three');
    await settle();
    expect(lines).toEqual(['two', 'three']);
    expect(bench.logs.filters).toEqual([{ worker: 'worker-1' }]);
    expect(bench.logs.feeds.size).toBe(1);
    await client.link.close();
    await settle();
    expect(bench.logs.feeds.size).toBe(0);
  });

  it('of peers on other machines are kept under their own name', async () => {
    const { bench } = await running();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.link.send('log-line', { daemon: 'orchestrator', line: '{"level":30}' });
    await bench.until(() => bench.logs.received.length === 1);
    expect(bench.logs.received).toEqual([{ peer: 'worker-1', line: '{"level":30}' }]);
  });
});
