import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  AttemptEscalated,
  type Executor,
  type ExecutorContext,
  type ExecutorOutcome,
} from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerBench, workerPeer } from './worker-bench.ts';

/** What an executor of an agent is given, through the worker's own daemon and the real sandbox. */
let sandbox: Sandbox;
let bench: WorkerBench;
let base: CommitId;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  bench = new WorkerBench(sandbox);
  base = bench.objects.commit({ 'src/a.txt': 'a\n', 'docs/old.md': 'old\n' });
});
afterEach(() => bench.close());

/** Lets `work` do the work of one attempt. */
async function perform(work: (context: ExecutorContext) => Promise<void>): Promise<void> {
  const executor: Executor = {
    kind: 'cli',
    async execute(_task, context): Promise<ExecutorOutcome> {
      await work(context);
      return { kind: 'done', summary: 'done', outputTail: '' };
    },
  };
  bench.executors = [executor];
  bench.reopen();
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
  bench.assign(base, [], { executor: { kind: 'cli', agent: 'test' } });
}

const inShell = (line: string) => ['sh', '-c', line];
const plain = { timeoutMs: 20_000, env: {} };

describe('a process that lives on', () => {
  it('talks over its streams, has a home of its own with its files, and writes in the workspace only', async () => {
    let said = '';
    let homes: string[] = [];
    await perform(async (context) => {
      const line =
        'read word; echo "got $word"; cat "$HOME/.conf/a.json"; echo x > docs/new.md; echo x > src/a.txt || echo refused';
      const child = await context.spawn(inShell(line), {
        ...plain,
        homeFiles: { '.conf/a.json': '{"a":1}' },
      });
      child.stdin.write('hello\n');
      said = await text(child.stdout);
      expect(await child.ended).toMatchObject({ exitCode: 0, ended: 'exited' });
      const second = await context.spawn(inShell('ls -A "$HOME"; echo "$HOME"'), plain);
      homes = (await text(second.stdout)).trim().split('\n');
    });
    expect((await bench.next('task-completed')).payload.filesModified).toEqual(['docs/new.md']);
    expect(said).toBe('got hello\n{"a":1}refused\n');
    expect(homes).toEqual([expect.stringMatching(/\/home-\w+$/)]);
  });

  it('ends with all its children when it is killed', async () => {
    await perform(async (context) => {
      const child = await context.spawn(inShell('sleep 1000 & echo ready; wait'), plain);
      await once(child.stdout, 'data');
      child.kill('the test says so');
      expect(await child.ended).toMatchObject({ ended: 'killed', reason: 'the test says so' });
      await context.files.writeFile('docs/new.md', 'x');
    });
    await bench.next('task-completed');
  });

  it('reaches the model of the attempt, which is closed at its end, and commands do not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-model-'));
    const server = createServer((_request, answer) => answer.end('from the model'));
    const path = join(folder, 'model.sock');
    server.listen(path);
    await once(server, 'listening');
    let closed = 0;
    const base7777 = 'http://127.0.0.1:7777';
    bench.openModel = () =>
      Promise.resolve({
        endpoint: {
          anthropic: base7777,
          openai: `${base7777}/v1`,
          gemini: base7777,
          token: 'of-this-attempt',
        },
        sockets: [{ port: 7777, path }],
        close: () => Promise.resolve(void (closed += 1)),
      });
    let answer = '';
    let command = '';
    const ask = (url = '') => [
      'node',
      '-e',
      `fetch(${JSON.stringify(url)}).then((r) => r.text()).then(console.log, () => console.log('none'))`,
    ];
    try {
      await perform(async (context) => {
        const child = await context.spawn(ask(context.model?.anthropic), plain);
        answer = await text(child.stdout);
        command = (await context.run(ask(context.model?.anthropic), plain)).output;
        context.event({ kind: 'message', text: `my key is ${context.model?.token}` });
        await context.files.writeFile('docs/new.md', 'x');
      });
      await bench.next('task-completed');
    } finally {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
    expect(answer).toBe('from the model\n');
    expect(command).toBe('none\n');
    expect(closed).toBe(1);
    expect(transcript()).toMatch(/"my key is \[Redacted\]"/);
  });
});

describe('the files of an attempt', () => {
  it('are held to its workspace', async () => {
    await perform(async ({ files }) => {
      expect(new TextDecoder().decode(await files.readFile('src/a.txt'))).toBe('a\n');
      await expect(files.writeFile('src/a.txt', 'b')).rejects.toMatchObject({ code: 'E_READ_ONLY' });
      await expect(files.readFile('/etc/passwd')).rejects.toMatchObject({ code: 'E_OUTSIDE_WORKSPACE' });
      await files.writeFile('docs/new.md', 'x');
    });
    expect((await bench.next('task-completed')).payload.filesModified).toEqual(['docs/new.md']);
  });
});

it('a question is answered at work, and stands in the transcript, which outlives the attempt', async () => {
  await perform(async (context) => {
    const asked = { reason: 'A or B?', attemptedSolutions: ['A'], needsClarification: 'which' };
    await context.files.writeFile('docs/new.md', await context.ask(asked));
    expect(context.pausedMs()).toBeGreaterThanOrEqual(0);
  });
  const { payload } = await bench.next('task-question');
  expect(payload.text).toBe('A or B? — tried: A — which');
  const { run, taskId, attempt, fence, question } = payload;
  bench.hub?.send(workerPeer, 'task-answer', {
    ...{ run, taskId, attempt, fence, question },
    answer: 'B',
  });
  expect((await bench.next('task-completed')).payload.filesModified).toEqual(['docs/new.md']);
  await bench.until(() => bench.leftAttempts().length === 0);
  expect(transcript()).toMatch(/"kind":"question","text":"A or B\?"/);
  expect(transcript()).toContain('answered: B');
});

it('a question that nobody answers in time ends the attempt as escalated', async () => {
  await perform(() => Promise.reject(new AttemptEscalated({ reason: 'A or B?', attemptedSolutions: ['A'] })));
  expect((await bench.next('escalation')).payload).toMatchObject({
    reason: 'A or B?',
    attemptedSolutions: ['A'],
  });
});

function transcript(): string {
  const [name = ''] = readdirSync(bench.transcripts);
  return readFileSync(join(bench.transcripts, name), 'utf8');
}
