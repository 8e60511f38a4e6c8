import type { ExecutorSpec } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

const orchestrating: ExecutorSpec = { kind: 'llm', model: 'm', mode: 'orchestrator' };

/** A task at work whose agent asks for tasks. */
async function scene(executor: ExecutorSpec, more: object = {}) {
  const names = { agents: { acp: ['claude-code'], cli: ['codex'] }, mcpServers: ['some'] };
  const labels = ['acp:claude-code', 'cli:codex'].flatMap((each) => {
    const [kind = '', agent = ''] = each.split(':');
    return [`executor:${kind}`, `agent:${agent}`, `agent:${agent}:${kind}`];
  });
  const bench = new Bench({ settings: { names } });
  const worker = await BenchWorker.connect(bench, 'w1', { slots: 1, labels });
  const lead = buildTask({ id: 'lead', kind: 'verify', more: { executor, ...more } });
  const run = await bench.submit(buildPlan([lead]));
  await bench.until(() => worker.assignments.length === 1);
  const { attempt, fence, taskId } = worker.assignment('lead');
  worker.accept(worker.assignment('lead'));
  await settle();
  const spawn = async (name: string, over: object = {}) => {
    const payload = {
      ...{ run, taskId, attempt, fence, name, workspacePath: `./${name}/`, systemPrompt: `Do ${name}` },
      ...{ mcpServers: [], ...over },
    };
    const answer = worker.link.request('task-spawn', payload, { timeoutMs: 10_000 });
    await settle();
    return (await answer).payload;
  };
  return { bench, run, worker, spawn };
}

const programs: ExecutorSpec[] = [
  { kind: 'acp', agent: 'claude-code', mode: 'orchestrator' },
  { kind: 'cli', agent: 'codex', mode: 'orchestrator' },
];

it.each(programs)(
  'a program in orchestrator mode adds tasks as our own loop does: $kind',
  async (executor) => {
    const { bench, run, spawn } = await scene(executor);
    expect(await spawn('login')).toMatchObject({ status: 'spawned' });
    const added = [...bench.view(run).tasks.values()].find(({ task }) => task.id === 'login')?.task;
    const { mode: _mode, ...same } = executor as Exclude<ExecutorSpec, { kind: 'command' }>;
    expect(added?.executor).toEqual(same);
  },
);

it('who drafts a plan adds nothing', async () => {
  const { bench, run, spawn } = await scene(orchestrating, { draft: { rounds: 3 } });
  expect(await spawn('login')).toMatchObject({
    status: 'error',
    error: expect.stringMatching(/E_TOOL_DENIED: its task is to draft a plan/) as string,
  });
  expect(bench.view(run).tasks.size).toBe(1);
});

it('an agent in orchestrator mode adds tasks, which are worked on as it is, but that they may edit', async () => {
  const { bench, run, spawn } = await scene(orchestrating);
  expect(await spawn('login', { mcpServers: ['some'] })).toEqual({
    workerId: `worker:${run}:login`,
    status: 'spawned',
    workspace: './login/',
  });
  const added = [...bench.view(run).tasks.values()].find(({ task }) => task.id === 'login')?.task;
  expect(added).toMatchObject({
    kind: 'implement',
    workspace: ['login'],
    executor: { kind: 'llm', model: 'm' },
    mcpServers: ['some'],
    review: { mode: 'required' },
  });
  expect(added?.executor).not.toHaveProperty('mode');
});

it.each([
  ['a name twice', 'lead', {}, /E_PLAN_INVALID/],
  ['a place outside', 'out', { workspacePath: '../out' }, /E_PLAN_INVALID: .*out of|E_PLAN_INVALID/],
  ['an MCP server that nobody knows', 'a', { mcpServers: ['none'] }, /"none", which is not in the catalogue/],
  ['an attempt that is over', 'a', { fence: 7 }, /the attempt is over/],
])('%s is answered with what is wrong', async (_what, name, over, error) => {
  const { bench, run, spawn } = await scene(orchestrating);
  expect(await spawn(name, over)).toMatchObject({
    workerId: '',
    status: 'error',
    error: expect.stringMatching(error) as string,
  });
  expect(bench.view(run).tasks.size).toBe(1);
});

it('whoever is in another mode spawns nothing, whatever its worker says', async () => {
  for (const executor of [{ kind: 'llm', model: 'm' } as const, { ...orchestrating, mode: 'docs-writer' }]) {
    const { bench, run, spawn } = await scene(executor);
    expect(await spawn('a')).toMatchObject({
      status: 'error',
      error: expect.stringContaining('only an agent in orchestrator mode can spawn') as string,
    });
    expect(bench.view(run).tasks.size).toBe(1);
  }
});
