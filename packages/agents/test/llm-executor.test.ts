import { systemClock, type Clock } from '@switchyard/runtime';
import type { Heard, Said } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { complete, done, LlmBench, write } from './llm-bench.ts';

let bench: LlmBench;
beforeEach(() => {
  bench = new LlmBench();
});
afterEach(() => bench.close());

const bodyOf = (heard: Heard | undefined) => JSON.parse(heard?.body ?? '{}') as Record<string, never>;
const kindsOf = () => bench.events.map(({ kind }) => kind);

describe.each(['claude-test', 'openai/gpt-test'])('a task in the form of %s', (name) => {
  const assignment = { executor: { kind: 'llm', model: name } };

  it('is done by tools, over several turns and with several calls in one', async () => {
    const outcome = await bench.perform(
      [
        {
          words: 'I look first.\n',
          calls: [
            { tool: 'read_file', input: { path: 'README.md' } },
            { tool: 'list_files', input: {} },
          ],
        },
        {
          calls: [
            write('src/login.ts', 'export {};\n'),
            { tool: 'execute_command', input: { command: 'npm test' } },
          ],
        },
        complete,
      ],
      { assignment },
    );
    expect(outcome).toEqual({ ...done, outputTail: 'I look first.\n' });
    expect(bench.desk.file('src/login.ts')).toBe('export {};\n');
    expect(bench.desk.commands).toMatchObject([{ argv: ['sh', '-c', 'npm test'], writes: 'workspace' }]);
    const told = bench.model.heard.map(({ body }) => body);
    expect(told[0]).toContain('Write the login module');
    expect(told[0]).toContain('`npm test` ends with exit code 0');
    expect(told[0]).toContain('write_to_file');
    expect(told[0]).not.toContain('spawn_parallel_instance');
    expect(told[1]).toContain('1 | # Demo');
    expect(told[1]).toContain('README.md\\nlib/\\nsrc/');
    expect(told[2]).toContain('exit code 0');
    expect(kindsOf()).toEqual(expect.arrayContaining(['prompt', 'message', 'tool-call', 'diff']));
    expect(bench.events).toContainEqual({ kind: 'diff', path: 'src/login.ts', after: 'export {};\n' });
    const { path, headers } = bench.model.heard[0] ?? { path: '', headers: {} as Heard['headers'] };
    expect(path).toBe(name.startsWith('claude') ? '/v1/messages' : '/v1/chat/completions');
    expect(headers['x-api-key'] ?? headers.authorization).toMatch(/of-this-attempt$/);
    expect(bodyOf(bench.model.heard[0])).toMatchObject({ stream: true, model: name.replace('openai/', '') });
  });

  it('answers calls that are malformed, unknown or wrong, and goes on', async () => {
    const outcome = await bench.perform(
      [
        {
          calls: [
            { tool: 'write_to_file', json: '{"path": "src/x", "content": "unfin' },
            { tool: 'delete_everything', input: {} },
            { tool: 'read_file', json: '[1]' },
            { tool: 'read_file', input: { file: 'x' } },
          ],
        },
        complete,
      ],
      { assignment },
    );
    expect(outcome).toMatchObject(done);
    const answered = bench.model.heard[1]?.body ?? '';
    expect(answered).toContain('The arguments of write_to_file are no JSON object.');
    expect(answered).toContain('There is no tool \\"delete_everything\\"');
    expect(answered).toContain('read_file cannot be called like this');
    expect(answered.match(/E_TOOL_INPUT/g)).toHaveLength(4);
  });

  it.each([
    ['a cut stream', { words: 'half of', calls: [write('src/half.ts', 'x')], isCut: true }],
    [
      'a stream that ends too early',
      { words: 'half of', calls: [write('src/half.ts', 'x')], isCut: 'politely' },
    ],
    ['an error of the server', { status: 500 }],
    ['an overloaded server', { status: 529, headers: { 'retry-after': '7' } }],
    ['a throttled request', { status: 429, headers: { 'retry-after': '7' } }],
  ] as const)('asks again after %s, and does nothing twice', async (_what, trouble) => {
    const outcome = await bench.perform(
      [trouble, trouble, { calls: [write('src/once.ts', 'x')] }, complete],
      {
        assignment,
      },
    );
    expect(outcome).toMatchObject(done);
    expect(bench.model.heard).toHaveLength(4);
    expect(bench.events.filter((event) => event.kind === 'diff')).toHaveLength(1);
    expect(bench.events.filter((event) => event.kind === 'note')).toHaveLength(2);
    if ('headers' in trouble) expect(bench.slept.filter((ms) => ms === 7_000)).toHaveLength(2);
  });
});

describe('the end of an attempt', () => {
  it('comes with its time, while the model still thinks', async () => {
    const clock: Clock = {
      ...systemClock,
      // A timer that is early is set once more, for a quarter of a second; the longer ones are of the model's silence.
      after: (ms, back) => (ms <= 5_000 ? systemClock.after(ms, back) : () => undefined),
    };
    expect(await bench.perform([{ isSilent: true }], { clock, assignment: { timeoutMs: 50 } })).toMatchObject(
      {
        failure: { code: 'E_TIMEOUT', class: 'logic', message: expect.stringMatching(/task's 0.05 s/) },
      },
    );
  });

  it('comes with a cancellation, while the model still thinks', async () => {
    const controller = new AbortController();
    const performing = bench.perform(
      () => {
        setImmediate(() => controller.abort(new Error('no longer wanted')));
        return { isSilent: true };
      },
      { signal: controller.signal },
    );
    expect(await performing).toMatchObject({ failure: { code: 'E_CANCELLED' } });
    expect(bench.model.heard).toHaveLength(1);
  });

  it('spawns in orchestrator mode, in which it edits nothing', async () => {
    const spawn = {
      tool: 'spawn_parallel_instance',
      input: { taskId: 'login', workspacePath: './login', systemPrompt: 'Do it', mcpServers: 'a, b' },
    };
    const write = { tool: 'write_to_file', input: { path: 'docs/x.md', content: 'x' } };
    const asked: unknown[] = [];
    const outcome = await bench.perform([{ calls: [spawn] }, { calls: [write] }, complete], {
      assignment: { kind: 'verify', executor: { kind: 'llm', model: 'claude-test', mode: 'orchestrator' } },
      context: {
        spawnTask: (request) => {
          asked.push(request);
          return Promise.resolve({ workerId: 'worker:r:login', status: 'spawned', workspace: './login' });
        },
      },
    });
    expect(outcome).toMatchObject({ kind: 'done' });
    expect(asked).toEqual([{ ...spawn.input, mcpServers: ['a', 'b'] }]);
    expect(JSON.stringify(bench.events)).toContain('E_TOOL_DENIED');
  });

  it('writes nothing by commands where its task verifies, and so is held or refused', async () => {
    const run = { tool: 'execute_command', input: { command: 'npm test' } };
    await bench.perform([{ calls: [run] }, complete], { assignment: { kind: 'verify' } });
    expect(bench.desk.commands).toMatchObject([{ argv: ['sh', '-c', 'npm test'], writes: 'none' }]);
  });

  it('commands have no more time than the attempt', async () => {
    const run = { tool: 'execute_command', input: { command: 'x', timeout_seconds: 500 } };
    await bench.perform([{ calls: [run] }, complete], { assignment: { timeoutMs: 100_000 } });
    expect(bench.desk.commands[0]?.timeoutMs).toBeLessThanOrEqual(100_000);
  });

  it('a question ends it where nobody answers; an answer goes back to the model', async () => {
    const ask: Said = {
      calls: [{ tool: 'ask_orchestrator', input: { question: 'A or B?', attempted_solutions: ['A'] } }],
    };
    expect(await bench.perform([ask])).toMatchObject({
      kind: 'escalated',
      reason: 'A or B?',
      attemptedSolutions: ['A'],
    });
    expect(
      await bench.perform([ask, complete], { context: { ask: () => Promise.resolve('take B') } }),
    ).toMatchObject(done);
    expect(bench.model.heard[1]?.body).toContain('The answer: take B');
  });
});

describe('the mode of a task', () => {
  const docs = `customModes:
  - { slug: docs, name: Docs, roleDefinition: You write docs., groups: [read, command, [edit, { fileRegex: '\\.md$' }], spawn] }
`;
  it('holds a hostile model: nothing is written outside, nothing spawned, and each try is an event', async () => {
    const outcome = await bench.perform([
      {
        calls: [
          write('../out.txt', 'x'),
          write('lib/kept.ts', 'x'),
          write('src/.git/hooks/pre-commit', 'x'),
          { tool: 'read_file', input: { path: '/etc/passwd' } },
        ],
      },
      {
        calls: [
          {
            tool: 'spawn_parallel_instance',
            input: { taskId: 't', workspacePath: 'lib', systemPrompt: 'x' },
          },
        ],
      },
      { calls: [write('src/ok.ts', 'x')] },
      complete,
    ]);
    expect(outcome).toMatchObject(done);
    expect(bench.desk.file('lib/kept.ts')).toBe('kept\n');
    expect(bench.events.filter((event) => event.kind === 'denied')).toMatchObject([
      { what: 'write_to_file ../out.txt', code: 'E_OUTSIDE_WORKSPACE' },
      { what: 'write_to_file lib/kept.ts', code: 'E_READ_ONLY' },
      { what: 'write_to_file src/.git/hooks/pre-commit', code: 'E_PROTECTED' },
      { what: 'read_file /etc/passwd', code: 'E_OUTSIDE_WORKSPACE' },
      { what: 'spawn_parallel_instance lib', code: 'E_TOOL_DENIED' },
    ]);
  });

  it('may be one of .roomodes, which only narrows', async () => {
    const outcome = await bench.perform(
      [
        {
          calls: [
            write('src/a.ts', 'x'),
            write('src/a.md', 'x'),
            { tool: 'execute_command', input: { command: 'x' } },
          ],
        },
        complete,
      ],
      { roomodes: docs, assignment: { executor: { kind: 'llm', model: 'claude-test', mode: 'docs' } } },
    );
    expect(outcome).toMatchObject(done);
    expect(bench.desk.file('src/a.ts')).toBe('export const a = 1;\n');
    expect(bench.desk.file('src/a.md')).toBe('x');
    expect(bench.desk.commands).toMatchObject([{ writes: 'none' }]);
    expect(bench.model.heard[0]?.body).toContain('You write docs.');
    expect(bench.model.heard[0]?.body).not.toContain('spawn_parallel_instance');
  });

  it("is a reviewer's where a task that only verifies names it", async () => {
    const run = { tool: 'execute_command', input: { command: 'npm test' } };
    const outcome = await bench.perform([{ calls: [run, write('src/a.ts', 'x')] }, complete], {
      assignment: { kind: 'verify', executor: { kind: 'llm', model: 'claude-test', mode: 'reviewer' } },
    });
    expect(outcome).toMatchObject(done);
    expect(bench.model.heard[0]?.body).toContain('You review one change');
    expect(bench.model.heard[0]?.body).not.toContain('write_to_file');
    expect(bench.desk.commands).toMatchObject([{ writes: 'none' }]);
  });

  it.each([
    ['worker, by hand', 'worker', undefined, 'E_MODE', /cannot be chosen by hand/],
    ['of another role', 'reviewer-style', undefined, 'E_MODE', /is for reviewers/],
    ['that nobody knows', 'poet', docs, 'E_MODE', /no mode "poet"; there is: .*docs/],
    ['of a broken file', 'docs', 'customModes: 7', 'E_ROOMODES', /has no list "customModes"/],
  ])('%s is refused before the model is asked', async (_what, mode, roomodes, code, says) => {
    const outcome = await bench.perform([complete], {
      ...(roomodes !== undefined && { roomodes }),
      assignment: { executor: { kind: 'llm', model: 'claude-test', mode } },
    });
    expect(outcome).toMatchObject({
      failure: { code, class: 'logic', message: expect.stringMatching(says) },
    });
    expect(bench.model.heard).toHaveLength(0);
  });
});
