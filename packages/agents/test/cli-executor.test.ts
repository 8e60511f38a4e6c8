import { text } from 'node:stream/consumers';
import { agentTable, cliExecutor, executeTask, type ExecutorOutcome } from '@switchyard/agents';
import { limits } from '@switchyard/protocol';
import { settle, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentBench } from './agent-bench.ts';

let bench: AgentBench;
let clock: VirtualClock;
beforeEach(() => {
  bench = new AgentBench();
  clock = new VirtualClock();
  bench.install('claude', 'codex', 'pi', 'mine');
});
afterEach(() => bench.close());

const mine = { mine: { title: 'Mine', cli: { program: 'mine', output: 'text' } } };

/** Starts an attempt and waits until its agent runs. */
async function begin(executor: object, extra: object = {}): Promise<{ outcome: Promise<ExecutorOutcome> }> {
  const task = bench.task({ kind: 'cli', agent: 'claude-code', ...executor }, extra);
  const executors = [cliExecutor({ agents: agentTable(mine), programs: bench.programs, clock })];
  const outcome = executeTask(executors, task, bench.context());
  await settle();
  return { outcome };
}

const claudeDone = { type: 'result', is_error: false, result: 'all is written' };

describe('how an agent of the command line is started', () => {
  it('is data: its words, its model and its key, in a home of its own', async () => {
    const { outcome } = await begin({ model: 'big"one' });
    bench.process.say(claudeDone).end();
    await outcome;
    const [spawned] = bench.spawned;
    expect(spawned?.argv.slice(0, 2)).toEqual([`${bench.folder}/claude`, '-p']);
    expect(spawned?.argv.slice(-2)).toEqual(['--model', 'big"one']);
    expect(spawned?.env).toMatchObject({
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:7421/anthropic',
      ANTHROPIC_API_KEY: 'sy-token',
    });
    expect(spawned?.programFolders).toEqual([bench.folder]);
  });

  it('leaves the model to the agent where the task names none, and tells one that cannot choose', async () => {
    const { outcome } = await begin({});
    bench.process.say(claudeDone).end();
    await outcome;
    expect(bench.spawned[0]?.argv).not.toContain('--model');
    const pi = await begin({ agent: 'pi' });
    expect(await pi.outcome).toMatchObject({
      kind: 'failed',
      failure: { code: 'E_AGENT_MODEL', class: 'logic' },
    });
  });

  it('escapes what it writes into files', async () => {
    const { outcome } = await begin({ agent: 'pi', model: 'a"b' });
    bench.process.end();
    await outcome;
    const file = JSON.parse(bench.spawned[0]?.homeFiles?.['.pi/agent/models.json'] ?? '') as unknown;
    expect(file).toMatchObject({
      providers: { switchyard: { models: [{ id: 'a"b' }], apiKey: 'sy-token' } },
    });
  });

  it.each([
    ['is not known', { agent: 'clod' }, 'E_AGENT_UNKNOWN', /no agent "clod".*claude-code, codex, pi, mine/],
    ['speaks only the protocol', { agent: 'gemini' }, 'E_AGENT_UNKNOWN', /executor of kind acp/],
  ])('fails where the agent %s', async (_what, executor, code, words) => {
    const { outcome } = await begin(executor);
    expect(await outcome).toMatchObject({
      failure: { code, message: expect.stringMatching(words) as string },
    });
  });

  it('fails where it is not installed, with how it is, and where there is no model', async () => {
    const search = { ...bench.programs, folders: [] };
    const executors = [cliExecutor({ agents: agentTable(), programs: search, clock })];
    const task = bench.task({ kind: 'cli', agent: 'codex' });
    expect(await executeTask(executors, task, bench.context())).toMatchObject({
      failure: {
        code: 'E_AGENT_MISSING',
        message: expect.stringContaining('npm install --prefix FOLDER @openai/codex@') as string,
      },
    });
    bench.model = undefined;
    const { outcome } = await begin({});
    expect(await outcome).toMatchObject({ failure: { code: 'E_AGENT_MODEL' } });
  });

  it('tells the agent its task: instructions, place, criteria, findings, answer', async () => {
    const { outcome } = await begin(
      {},
      {
        round: 2,
        acceptance: [
          { kind: 'text', text: 'it is typed' },
          { kind: 'run', run: 'npm test' },
        ],
        feedback: [
          {
            severity: 'major',
            category: 'security',
            file: 'src/login/a.ts',
            line: 3,
            description: 'a hole',
            suggestion: 'close it',
          },
        ],
        answer: 'use JWT',
        inputs: { deploy: 'staging' },
      },
    );
    const prompt = text(bench.process.stdin);
    bench.process.say(claudeDone).end();
    await outcome;
    expect(await prompt).toMatchInlineSnapshot(`
      "# Task: auth-login

      Build the login

      ## Where

      You work in a checkout of the repository, the current folder: /tree
      You may create and change files only here: src/login. Everything else is read-only; a change elsewhere fails the task.
      There is no network. Do not commit: the files are taken up as you leave them.

      ## Done when

      - it is typed
      - \`npm test\` ends with exit code 0 in a fresh checkout

      ## What the review of the last round found (this is round 2)

      - [major] src/login/a.ts:3 a hole Suggestion: close it

      ## The answer to what was asked before

      use JWT

      ## Values that were given

      - deploy: staging

      ## If you cannot go on

      Write your question into /out/escalation.json and end; you will be started again with the answer.
      "
    `);
  });
});

it('an agent is told where it finds what the tasks before it came to', async () => {
  const before = {
    taskId: 'auth-models',
    phase: 'completed',
    filesChanged: [],
    findings: [],
    blockers: [],
    leftOut: 0,
  };
  const { outcome } = await begin({}, { upstream: [before] });
  const prompt = text(bench.process.stdin);
  bench.process.say(claudeDone).end();
  await outcome;
  expect(await prompt).toContain(
    'What auth-models came to, what they changed and found, stands as JSON in /in/upstream.json.',
  );
});

describe('what an agent prints', () => {
  it('is told as events (Claude Code)', async () => {
    const { outcome } = await begin({});
    bench.process
      .say(
        { type: 'system', subtype: 'init' },
        {
          type: 'assistant',
          message: {
            content: [
              { type: 'text', text: 'I write' },
              { type: 'tool_use', id: 't1', name: 'Write', input: { a: 1 } },
            ],
          },
        },
        {
          type: 'user',
          message: {
            content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ text: 'ok' }], is_error: true }],
          },
        },
        'no JSON at all',
        claudeDone,
      )
      .end();
    expect(await outcome).toMatchObject({ kind: 'done', summary: 'all is written' });
    expect(bench.events.slice(1)).toEqual([
      { kind: 'message', text: 'I write' },
      { kind: 'tool-call', id: 't1', title: 'Write', status: 'running', input: { a: 1 } },
      { kind: 'tool-call', id: 't1', title: 'Write', status: 'failed', output: 'ok' },
      { kind: 'output', text: 'no JSON at all' },
    ]);
  });

  it('is told as events (Codex)', async () => {
    const { outcome } = await begin({ agent: 'codex' });
    bench.process
      .say(
        { type: 'thread.started' },
        {
          type: 'item.updated',
          item: { id: 'p', type: 'todo_list', items: [{ text: 'one', completed: true }] },
        },
        {
          type: 'item.started',
          item: { id: 'c', type: 'command_execution', command: 'ls', status: 'in_progress' },
        },
        {
          type: 'item.completed',
          item: {
            id: 'c',
            type: 'command_execution',
            command: 'ls',
            aggregated_output: 'a',
            status: 'completed',
          },
        },
        {
          type: 'item.completed',
          item: {
            id: 's',
            type: 'mcp_tool_call',
            server: 'loud',
            tool: 'shout',
            status: 'completed',
            result: { content: [{ text: 'HI' }] },
          },
        },
        { type: 'item.completed', item: { id: 'm', type: 'agent_message', text: 'it is done' } },
        { type: 'turn.completed', usage: {} },
      )
      .end();
    expect(await outcome).toMatchObject({ kind: 'done', summary: 'it is done' });
    expect(bench.events.slice(1)).toEqual([
      { kind: 'plan', entries: [{ text: 'one', status: 'completed' }] },
      { kind: 'tool-call', id: 'c', title: 'ls', status: 'running' },
      { kind: 'tool-call', id: 'c', title: 'ls', status: 'completed', output: 'a' },
      { kind: 'tool-call', id: 's', title: 'loud shout', status: 'completed', output: 'HI' },
      { kind: 'message', text: 'it is done' },
    ]);
  });

  it('is told as events (Pi)', async () => {
    const { outcome } = await begin({ agent: 'pi', model: 'm' });
    const message = { role: 'assistant', content: [{ type: 'text', text: 'done so' }], stopReason: 'stop' };
    bench.process
      .say(
        { type: 'tool_execution_start', toolCallId: 't', toolName: 'bash', args: { command: 'ls' } },
        {
          type: 'tool_execution_end',
          toolCallId: 't',
          toolName: 'bash',
          result: { content: [{ type: 'text', text: 'a' }] },
        },
        { type: 'message_end', message },
        { type: 'agent_end', messages: [message] },
      )
      .end();
    expect(await outcome).toMatchObject({ kind: 'done', summary: 'done so' });
    expect(bench.events.slice(1)).toEqual([
      { kind: 'tool-call', id: 't', title: 'bash', status: 'running', input: { command: 'ls' } },
      { kind: 'tool-call', id: 't', title: 'bash', status: 'completed', output: 'a' },
      { kind: 'message', text: 'done so' },
    ]);
  });
});

describe('how an agent ends', () => {
  it.each([
    [
      'an error of its own',
      'claude-code',
      [{ type: 'result', is_error: true, result: 'I cannot' }],
      0,
      'E_AGENT_FAILED',
      'logic',
    ],
    [
      'a rate limit',
      'claude-code',
      [{ type: 'result', is_error: true, result: 'API Error: 429 slow down' }],
      1,
      'E_AGENT_FAILED',
      'throttled',
    ],
    [
      'a broken stream',
      'codex',
      [{ type: 'turn.failed', error: { message: 'stream disconnected before completion' } }],
      1,
      'E_AGENT_FAILED',
      'io',
    ],
    [
      'an error that it exits well with',
      'pi',
      [
        {
          type: 'agent_end',
          messages: [{ role: 'assistant', stopReason: 'error', errorMessage: 'Invalid URL' }],
        },
      ],
      0,
      'E_AGENT_FAILED',
      'logic',
    ],
    ['a crash', 'codex', ['Segmentation fault'], 139, 'E_AGENT_FAILED', 'system'],
    ['no word of its end', 'codex', [{ type: 'turn.started' }], 0, 'E_AGENT_FAILED', 'parsing'],
  ])('with %s', async (_what, agent, lines, exitCode, code, failureClass) => {
    const { outcome } = await begin({ agent, model: 'm' });
    bench.process.say(...lines).end({ exitCode });
    expect(await outcome).toMatchObject({ kind: 'failed', failure: { code, class: failureClass } });
  });

  it('at its time-out, with the end of what it said', async () => {
    const { outcome } = await begin({});
    bench.process.say({ type: 'assistant', message: { content: [{ type: 'text', text: 'still at it' }] } });
    await settle();
    await clock.advance(60_000);
    expect(bench.process.killedFor).toMatch(/longer than the task's limit/);
    expect(await outcome).toMatchObject({
      failure: { code: 'E_AGENT_TIMEOUT', class: 'logic', outputTail: 'still at it\n' },
    });
    expect(bench.spawned[0]?.timeoutMs).toBe(60_000 + limits.attemptHoldMs);
  });

  it('at a limit of the sandbox', async () => {
    const { outcome } = await begin({});
    bench.process.end({ ended: 'killed', exitCode: 137, reason: 'it gave more output than its limit' });
    expect(await outcome).toMatchObject({
      failure: { code: 'E_AGENT_FAILED', message: expect.stringContaining('more output') as string },
    });
  });

  it('killed where it says nothing for too long; a word in between begins the wait anew', async () => {
    const { outcome } = await begin({}, { timeoutMs: 10 * limits.agentSilenceMs });
    await clock.advance(limits.agentSilenceMs - 1_000);
    bench.process.say({ type: 'system' });
    await settle();
    await clock.advance(limits.agentSilenceMs - 1_000);
    expect(bench.process.killedFor).toBeUndefined();
    await clock.advance(1_001);
    expect(bench.process.killedFor).toMatch(/nothing for too long/);
    expect(await outcome).toMatchObject({ failure: { code: 'E_AGENT_SILENT', class: 'system' } });
  });

  it('killed where its turn is over and it does not exit; its work counts', async () => {
    const { outcome } = await begin({});
    bench.process.say(claudeDone);
    await settle();
    await clock.advance(limits.agentExitGraceMs + 1);
    expect(bench.process.killedFor).toMatch(/did not exit/);
    expect(await outcome).toMatchObject({ kind: 'done', summary: 'all is written' });
  });

  it('with a question, which the next attempt has answered', async () => {
    const { outcome } = await begin({});
    bench.escalation = '{"reason":"JWT or sessions?","attemptedSolutions":["JWT"]}';
    bench.process.say(claudeDone).end();
    expect(await outcome).toEqual({
      kind: 'escalated',
      reason: 'JWT or sessions?',
      attemptedSolutions: ['JWT'],
    });
  });

  it('with the attempt that is cancelled', async () => {
    const { outcome } = await begin({});
    bench.cancel.abort(new Error('cancelled'));
    bench.process.end({ ended: 'killed', exitCode: 137 });
    expect(await outcome).toMatchObject({ failure: { code: 'E_CANCELLED' } });
  });
});

describe('an agent of the configuration', () => {
  it('may be any program; its last words are the result and its exit code says how it went', async () => {
    const good = await begin({ agent: 'mine' });
    bench.process.say('hello').end();
    expect(await good.outcome).toMatchObject({ kind: 'done', outputTail: 'hello\n' });
  });

  it.each([
    ['has a field too many', { x: { title: 'X', cli: { program: 'x', output: 'text' }, colour: 'red' } }],
    ['has a name that no plan can say', { 'a b': { title: 'X', cli: { program: 'x', output: 'text' } } }],
    ['is no map', ['x']],
  ])('is refused where it %s', (_what, added) => {
    expect(() => agentTable(added)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }) as Error);
  });
});
