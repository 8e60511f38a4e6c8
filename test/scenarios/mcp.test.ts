import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';
import { closeWhenEnded, McpClient, runOf, textOf, type Spawned } from './mcp-client.ts';

const plan = `version: 1
name: greet
defaults: { review: never }
tasks:
  - { id: hello, workspace: hello, instructions: Greet, executor: { run: 'mkdir -p hello && echo hi > hello/file' }, acceptance: [{ run: grep hi hello/file }] }
  - { id: loud, workspace: loud, dependsOn: [hello], executor: { run: 'mkdir -p loud && tr a-z A-Z < hello/file > loud/file' } }
`;
const lookers = [
  'plan_check',
  'run_wait',
  'run_status',
  'task_output',
  'task_diff',
  'list_workers',
  'report',
];
const changers = [
  ...['run_start', 'spawn_parallel_instance', 'run_cancel', 'answer_escalation'],
  ...['gate_approve', 'gate_reject', 'review_request'],
];

interface Waited {
  readonly outcome: string;
  readonly status: {
    readonly run: string;
    readonly phase: string;
    readonly tasks: readonly { taskId: string; phase: string; workerId: string }[];
  };
}

let made: Scenario;
const clients: McpClient[] = [];

beforeAll(() => {
  made = new Scenario({ 'a.txt': 'a\n', 'plan.yaml': plan });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});
afterAll(() => closeWhenEnded(made), 60_000);

type Options = ConstructorParameters<typeof McpClient>[0];

function agent(options?: Options, ...flags: string[]): Promise<McpClient> {
  const client = new McpClient(options);
  clients.push(client);
  return client.stdio(made, ...flags);
}

describe('an agent over stdio', () => {
  it.each(['legacy', 'auto'] as const)('carries a plan from its check to its report (%s)', async (mode) => {
    const client = await agent({ mode });
    expect((await client.tools()).toSorted()).toEqual([...lookers, ...changers].toSorted());
    const checked = await client.answer<{ ok: boolean; analysis: { readyAtOnce: string[] } }>('plan_check', {
      plan,
    });
    expect(checked).toMatchObject({ ok: true, analysis: { readyAtOnce: ['hello'] } });
    const markdown =
      '| Task | Document |\n|-|-|\n| Door Review | |\n| Roof Review | done/roof.md |\n\n## Deferred\n\n- Lamp\n';
    expect(await client.answer('plan_check', { plan: markdown, format: 'markdown' })).toMatchObject({
      ok: true,
      done: [{ id: 'Roof Review', line: 4, why: 'its document is done/roof.md' }],
      deferred: [{ id: 'Deferred', line: 6, why: 'lines 6 to 8' }],
    });
    const { run } = await client.answer<{ run: string }>('run_start', { file: 'plan.yaml' });
    const waited = await client.answer<Waited>('run_wait', { timeoutSeconds: 250 });
    expect(waited).toMatchObject({ outcome: 'ended', status: { run, phase: 'completed' } });
    expect(client.progress.some((text) => text.startsWith('2/2: '))).toBe(true);
    const output = await client.answer<{ filesChanged: string[]; attempts: { receipts: unknown[] }[] }>(
      'task_output',
      { taskId: 'hello' },
    );
    expect(output.filesChanged).toEqual(['hello/file']);
    expect(output.attempts[0]?.receipts).toMatchObject([{ command: 'grep hi hello/file', exitCode: 0 }]);
    expect((await client.answer<{ patch: string }>('task_diff', { taskId: 'loud' })).patch).toMatch(
      /^\+HI$/m,
    );
    expect((await client.answer<{ report: string }>('report')).report).toContain('hello');
    const { resources } = await client.client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(`switchyard://runs/${run}/report`);
    for (const path of ['plan', 'report', 'tasks/hello/transcript']) {
      const read = await client.client.readResource({ uri: `switchyard://runs/${run}/${path}` });
      expect(JSON.stringify(read.contents[0]), path).toContain('hello');
    }
    expect(client.stderr).toMatch(/connected to the orchestrator/);
  });

  it('is told by the prompt how to go about it', async () => {
    const client = await agent();
    const { messages } = await client.client.getPrompt({
      name: 'orchestrate',
      arguments: { goal: 'Add login' },
    });
    const [message] = messages;
    const text = message?.content.type === 'text' ? message.content.text : '';
    const steps = ['Add login', 'Analyze', 'Decompose', 'Plan', 'Spawn', 'Monitor', 'Verify'];
    const places = steps.map((step) => text.indexOf(step));
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
    expect(places[0]).toBeGreaterThan(-1);
    // Every tool that it names exists.
    const tools = await client.tools();
    for (const [name] of text.matchAll(/\b[a-z]+_[a-z_]+\b/g)) expect(tools).toContain(name);
  });

  it('answers what tasks ask', async () => {
    const client = await agent();
    const asking = `[ -n "$SWITCHYARD_ANSWER" ] || { echo '{"reason": "which one?"}' > "$SWITCHYARD_ESCALATION"; exit 75; }; mkdir -p asks && echo "$SWITCHYARD_ANSWER" > asks/file`;
    const tasks = [
      { id: 'gate', kind: 'manual', instructions: 'Look', gate: { inputs: ['ring'] } },
      { id: 'no', kind: 'manual', instructions: 'Look again' },
      { id: 'asks', workspace: 'asks', review: 'never', executor: { run: asking } },
    ];
    await client.answer('run_start', { plan: JSON.stringify({ name: 'asks', tasks }) });
    const waited = await client.answer<Waited>('run_wait', { timeoutSeconds: 250 });
    expect(waited.outcome).toBe('attention');
    const missing = await client.call('gate_approve', { taskId: 'gate' });
    expect(textOf(missing)).toContain('E_GATE_INPUTS');
    await client.answer('gate_approve', { taskId: 'gate', inputs: { ring: 'few' } });
    await client.answer('gate_reject', { taskId: 'no', note: 'not today' });
    await until('the question', async () => {
      const { status } = await client.answer<Waited>('run_wait', { timeoutSeconds: 20 });
      return status.tasks.some(({ taskId, phase }) => taskId === 'asks' && phase === 'waiting') || undefined;
    });
    await client.answer('answer_escalation', { taskId: 'asks', action: 'retry', note: 'the second one' });
    const ended = await client.answer<Waited>('run_wait', { timeoutSeconds: 250, untilAttention: false });
    expect(ended.outcome).toBe('ended');
    const phases = Object.fromEntries(ended.status.tasks.map(({ taskId, phase }) => [taskId, phase]));
    expect(phases).toEqual({ gate: 'completed', no: 'failed', asks: 'completed' });
    const { patch } = await client.answer<{ patch: string }>('task_diff', { taskId: 'asks' });
    expect(patch).toContain('+the second one');
  });

  it('in any other mode than orchestrator only looks, and the hub takes nothing else from it', async () => {
    const boss = await agent(
      {},
      '--command',
      'mkdir -p "$SWITCHYARD_TASK" && echo 1 > "$SWITCHYARD_TASK/file"',
    );
    const hold = { name: 'hold', tasks: [{ id: 'hold', kind: 'manual', instructions: 'Wait' }] };
    const { run } = await boss.answer<{ run: string }>('run_start', { plan: JSON.stringify(hold) });
    for (const mode of ['worker', 'reviewer-security']) {
      const looker = await agent({}, '--mode', mode);
      expect((await looker.tools()).toSorted()).toEqual(lookers.toSorted());
      const status = await looker.answer<{ status: { run: string } }>('run_status', { run });
      expect(status.status.run).toBe(run);
      const spawn = { taskId: 'x', workspacePath: 'x', systemPrompt: 'x', run };
      await expect(looker.call('spawn_parallel_instance', spawn)).rejects.toThrow(/spawn_parallel_instance/);
    }
    // With the credential of an observer, the mode that may spawn is not to be had.
    const { url } = await made.orchestrator();
    const credential = ['--hub', url, '--token-file', `${made.state}/observer-token`];
    const liar = await agent({}, '--mode', 'orchestrator', ...credential);
    const refused = await liar.call('spawn_parallel_instance', {
      ...{ taskId: 'x', workspacePath: 'x', systemPrompt: 'x', run },
      executor: { run: 'true' },
    });
    expect(refused.structuredContent).toMatchObject({ workerId: '', status: 'error' });
    expect(textOf(refused)).toMatch(/not for the role client/);
    const { status } = await boss.answer<Waited>('run_status', { run });
    expect(status.tasks.map(({ taskId }) => taskId)).toEqual(['hold']);
    await boss.answer('run_cancel', { run });
  });
});

describe('spawn_parallel_instance', () => {
  const command = 'mkdir -p "$SWITCHYARD_TASK" && cp "$SWITCHYARD_INSTRUCTIONS" "$SWITCHYARD_TASK/file"';
  const spawner = (options: Options = {}, ...flags: string[]): Promise<McpClient> =>
    agent(options, '--command', command, ...flags);
  const spawn = (client: McpClient, taskId: string, over: Record<string, unknown> = {}): Promise<Spawned> =>
    client.answer('spawn_parallel_instance', {
      taskId,
      workspacePath: `./${taskId}`,
      systemPrompt: `Write ${taskId}`,
      ...over,
    });

  it('starts a run of its own, into which what is spawned beside it goes, and goes on from its result', async () => {
    const client = await spawner();
    const executor = { run: `sleep 1; ${command}` };
    const spawned = await Promise.all(
      ['one', 'two', 'three'].map((task) => spawn(client, task, { executor })),
    );
    expect(spawned.map(({ status, workspace }) => ({ status, workspace }))).toEqual(
      ['one', 'two', 'three'].map((task) => ({ status: 'spawned', workspace: `${made.repository}/${task}` })),
    );
    expect(new Set(spawned.map(runOf)).size).toBe(1);
    expect(new Set(spawned.map(({ workerId }) => workerId)).size).toBe(3);
    const [one] = spawned;
    const settled = await client.answer<Waited>('run_wait', { workerId: one?.workerId, timeoutSeconds: 250 });
    expect(settled.outcome).toBe('task-settled');
    const ended = await client.answer<Waited>('run_wait', { timeoutSeconds: 250 });
    expect(ended.status.tasks.map(({ phase }) => phase)).toEqual(['completed', 'completed', 'completed']);
    const next = await spawn(client, 'four', {
      executor: { run: 'mkdir -p four && cat one/file > four/file' },
    });
    expect(runOf(next)).not.toBe(runOf(spawned[0] ?? next));
    await client.answer<Waited>('run_wait', { timeoutSeconds: 250 });
    const { patch } = await client.answer<{ patch: string }>('task_diff', { workerId: next.workerId });
    expect(patch).toContain('+Write one');
  });

  it('lets a task wait whose workspace overlaps that of a running one', async () => {
    const client = await spawner();
    const first = await spawn(client, 'first', {
      workspacePath: 'shared',
      executor: { run: 'mkdir -p shared && sleep 3 && echo first > shared/file' },
    });
    const run = runOf(first);
    await until('the first to run', async () => {
      const { status } = await client.answer<Waited>('run_status', { run });
      return status.tasks.some(({ phase }) => phase === 'running') || undefined;
    });
    const second = await client.call('spawn_parallel_instance', {
      taskId: 'second',
      workspacePath: 'shared/file',
      systemPrompt: 'Go on',
      executor: { run: 'echo second >> shared/file' },
    });
    expect(textOf(second)).toMatch(/shared\/file of second lies inside shared of first/);
    const ended = await client.answer<Waited>('run_wait', { run, timeoutSeconds: 250 });
    expect(ended.status.phase).toBe('completed');
    const { patch } = await client.answer<{ patch: string }>('task_diff', { run, taskId: 'second' });
    expect(patch).toMatch(/^ first$/m);
  });

  it('takes MCP servers in every form, and every check of a plan holds for the grown graph', async () => {
    const client = await spawner();
    const plan = JSON.stringify({
      name: 'hold',
      tasks: [{ id: 'hold', kind: 'manual', instructions: 'Wait' }],
    });
    const { run } = await client.answer<{ run: string }>('run_start', { plan });
    const after = { dependsOn: ['hold'] };
    await spawn(client, 'json', { ...after, mcpServers: '["playwright", "github"]' });
    await spawn(client, 'csv', { ...after, mcpServers: 'github, brave-search, supabase' });
    await spawn(client, 'list', {
      ...after,
      mcpServers: ['github'],
      workspacePath: `${made.repository}/list`,
    });
    await spawn(client, 'none', { ...after, mcpServers: '' });
    const { contents } = await client.client.readResource({ uri: `switchyard://runs/${run}/plan` });
    const [content] = contents;
    const { tasks } = JSON.parse(content !== undefined && 'text' in content ? content.text : '{}') as {
      tasks: { id: string; mcpServers: string[]; workspace: string[] }[];
    };
    expect(Object.fromEntries(tasks.map(({ id, mcpServers }) => [id, mcpServers]))).toEqual({
      hold: [],
      json: ['playwright', 'github'],
      csv: ['github', 'brave-search', 'supabase'],
      list: ['github'],
      none: [],
    });
    expect(tasks.find(({ id }) => id === 'list')?.workspace).toEqual(['list']);
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ taskId: 'json' }, /E_PLAN_INVALID: .*json/],
      [{ dependsOn: ['nobody'] }, /depends on non-existent task nobody/],
      [{ workspacePath: '../elsewhere' }, /E_PLAN_INVALID.*leaves the repository/],
      [{ workspacePath: '/etc' }, /E_PLAN_INVALID.*leaves the repository/],
      [{ workspacePath: '.git/hooks' }, /E_PLAN_INVALID/],
      [
        { taskId: ' ', systemPrompt: '' },
        /^Missing required parameters: taskId, systemPrompt \(E_TOOL_INPUT\)/,
      ],
      [
        { taskId: undefined },
        /^Missing required parameters: taskId \(E_TOOL_INPUT\); give each of them a text$/,
      ],
      [{ run: 'no-such-run' }, /E_RUN_UNKNOWN/],
      [{ executor: { nonsense: true } }, /E_PLAN_INVALID/],
    ];
    for (const [over, error] of wrong) {
      const args = { taskId: 'wrong', workspacePath: './wrong', systemPrompt: 'Do it', ...over };
      const result = await client.call('spawn_parallel_instance', args);
      expect(result.isError).toBe(true);
      expect(result.structuredContent).toMatchObject({ workerId: '', status: 'error' });
      expect((result.structuredContent as unknown as Spawned).error, JSON.stringify(over)).toMatch(error);
    }
    await client.answer('run_cancel', { run });
  });

  it('asks the user first, where the client can show a question', async () => {
    let says = false;
    const client = await spawner({ approve: () => says });
    const before = (await client.answer<{ runs: unknown[] }>('run_status')).runs.length;
    const args = { taskId: 'asked', workspacePath: 'asked', systemPrompt: 'Do it' };
    const denied = await client.call('spawn_parallel_instance', args);
    expect(denied.structuredContent).toMatchObject({ workerId: '', status: 'error' });
    expect(textOf(denied)).toMatch(/denied/);
    expect((await client.answer<{ runs: unknown[] }>('run_status')).runs.length).toBe(before);
    says = true;
    expect(await client.answer('spawn_parallel_instance', args)).toMatchObject({ status: 'spawned' });
    await client.answer('run_cancel');
  });

  it('does nothing with --approve require where the client cannot ask, and never asks with --approve never', async () => {
    const args = { taskId: 'asked', workspacePath: 'asked', systemPrompt: 'Do it' };
    const strict = await spawner({}, '--approve', 'require');
    expect(textOf(await strict.call('spawn_parallel_instance', args))).toMatch(/cannot ask/);
    const neverAsked = (): boolean => {
      throw new Error('it was asked');
    };
    const free = await spawner({ approve: neverAsked }, '--approve', 'never');
    expect(await free.answer('spawn_parallel_instance', args)).toMatchObject({ status: 'spawned' });
    await free.answer('run_cancel');
  });
});
