import { agentTable, cliExecutor, executeTask } from '@switchyard/agents';
import { settle, VirtualClock } from '@switchyard/testkit';
import { afterEach, expect, it } from 'vitest';
import { AgentBench } from './agent-bench.ts';

const bench = new AgentBench();
afterEach(() => bench.close());

it('an agent that is held has its whole time yet when it goes on', async () => {
  const clock = new VirtualClock();
  bench.install('claude');
  const executors = [cliExecutor({ agents: agentTable(), programs: bench.programs, clock })];
  const task = bench.task({ kind: 'cli', agent: 'claude-code' });
  const outcome = executeTask(executors, task, bench.context());
  await settle();
  bench.pausedMs = 90_000;
  await clock.advance(60_000 + 90_000 - 1);
  expect(bench.process.killedFor).toBeUndefined();
  expect(bench.spawned[0]?.timeoutMs).toBeGreaterThan(3_600_000);
  await clock.advance(1);
  expect(await outcome).toMatchObject({ failure: { code: 'E_AGENT_TIMEOUT', class: 'logic' } });
});
