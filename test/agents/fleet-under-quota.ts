import { setTimeout as pause } from 'node:timers/promises';
import type { RunView } from '@switchyard/protocol';
import { fullestMinute } from '../bench/gateway-quota.ts';
import { cliBin, Scenario, until } from '../scenarios/harness.ts';
import { openModelServer } from './model-server/model-server.ts';
import type { Script, Step } from './model-server/script.ts';

export interface FleetRequest {
  /** Where the agents are installed. */
  readonly agents: string;
  /** Programs at once: codex by its command line and claude-code over the protocol, by turns. */
  readonly programs: number;
  readonly workers: number;
  /** Files that each of them writes, a request for each. */
  readonly files: number;
  readonly rpm: number;
}

export interface FleetFigures {
  readonly requests: number;
  /** The most requests in any window of a minute, measured at the server. */
  readonly fullest: number;
  /** Tasks that are not completed, or had more than one attempt, with what is said of them. */
  readonly failed: readonly string[];
  /** Files that are on the run branch and right. */
  readonly filesRight: number;
  /** The most attempts that ran at once. */
  readonly atOnce: number;
  /** From `switchyard run` to its end. */
  readonly wallMs: number;
  /** From `switchyard run` to the first request at the server: the programs start, and there is no quota to wait for. */
  readonly startMs: number;
  /** From the first request to the last, at the server. */
  readonly servedMs: number;
}

const textOf = (task: string, at: number): string => `file ${at} of ${task}\n`;
const pathOf = (task: string, at: number): string => `out/${task}/${at}.txt`;

function stepsOf(task: string, files: number): Step[] {
  const writes = Array.from({ length: files }, (_, at): Step => ({
    write: { path: pathOf(task, at), content: textOf(task, at) },
  }));
  return [...writes, { text: 'all of them are written' }];
}

/**
 * Real agent programs as the attempts of one run, in the sandbox of real workers, at a real orchestrator, under one quota:
 * what `switchyard run` does with them, and what their model saw of it.
 */
export async function runFleetUnderQuota(request: FleetRequest): Promise<FleetFigures> {
  const names = Array.from({ length: request.programs }, (_, at) => `agent-${at}`);
  const script: Script = Object.fromEntries(names.map((name) => [name, stepsOf(name, request.files)]));
  const server = await openModelServer({ script });
  const scenario = new Scenario({ 'README.md': '# Shop\n' });
  const env = {
    SWITCHYARD_AGENT_FOLDERS: request.agents,
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: 'a-key-of-the-user',
    OPENAI_BASE_URL: `${server.url}/v1`,
    OPENAI_API_KEY: 'a-key-of-the-user',
  };
  try {
    scenario.write({ 'plan.json': JSON.stringify(planOf(names, request)) });
    await startFleet(scenario, env, request);
    const began = Date.now();
    const { ended } = scenario.start(process.execPath, [cliBin, 'run', 'plan.json'], env);
    const [wallMs, atOnce] = await Promise.all([
      ended.then(() => Date.now() - began),
      mostAtOnce(scenario, ended),
    ]);
    const { tasks } = await viewOf(scenario);
    const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
    return {
      requests: server.arrivals.length,
      fullest: fullestMinute(server.arrivals),
      failed: tasks.flatMap(({ id, phase, attempt, reason = 'nothing is said' }) =>
        phase === 'completed' && attempt === 1 ? [] : [`${id} ${phase} at attempt ${attempt}: ${reason}`],
      ),
      filesRight: branch === '' ? 0 : filesRight(scenario, branch, { names, files: request.files }),
      atOnce,
      wallMs,
      startMs: Math.min(...server.arrivals) - began,
      servedMs: Math.max(0, ...server.arrivals) - Math.min(...server.arrivals),
    };
  } finally {
    await scenario.close();
    await server.close();
  }
}

function planOf(names: readonly string[], { programs, rpm }: FleetRequest): object {
  return {
    version: 1,
    name: 'fleet',
    // All of them at once: it is the quota that has to hold them.
    strategy: 'max-parallel',
    limits: { workers: programs, rpm },
    defaults: { review: 'never', retries: 0, timeoutMinutes: 60 },
    tasks: names.map((id, at) => ({
      id,
      instructions: 'Write your files',
      workspace: `out/${id}`,
      executor:
        at % 2 === 0
          ? { kind: 'cli', agent: 'codex', model: 'scripted' }
          : { kind: 'acp', agent: 'claude-code' },
    })),
  };
}

/** An orchestrator and workers that have room for all programs. */
async function startFleet(
  scenario: Scenario,
  env: NodeJS.ProcessEnv,
  { programs, workers }: FleetRequest,
): Promise<void> {
  const start = (...words: string[]) => scenario.start(process.execPath, [cliBin, ...words], env);
  start('up', '--port', '0', '--workers', '0', '--reviewers', '0');
  await scenario.orchestrator();
  for (let at = 0; at < workers; at += 1)
    start('worker', '--name', `fleet-${at}`, '--slots', String(Math.ceil(programs / workers)));
  await until('the workers', async () => {
    const { stdout } = await scenario.cli('workers', '--json').ended;
    return Array.from({ length: workers }, (_, at) => `"fleet-${at}"`).every((name) => stdout.includes(name));
  });
}

async function viewOf(scenario: Scenario): Promise<Pick<RunView, 'run' | 'tasks'>> {
  const [row] = await scenario.api<{ run: string }[]>('/api/runs');
  return row === undefined
    ? { run: '' as RunView['run'], tasks: [] }
    : scenario.api<RunView>(`/api/runs/${row.run}`);
}

/** Looks at the run once a second until it ends. */
async function mostAtOnce(scenario: Scenario, ended: Promise<unknown>): Promise<number> {
  let isOver = false;
  void ended.finally(() => (isOver = true));
  let most = 0;
  while (!isOver) {
    const { tasks } = await viewOf(scenario);
    most = Math.max(most, tasks.filter(({ phase }) => phase === 'running').length);
    await pause(1_000);
  }
  return most;
}

function filesRight(
  scenario: Scenario,
  branch: string,
  { names, files }: { readonly names: readonly string[]; readonly files: number },
): number {
  const wanted = names.flatMap((name) => Array.from({ length: files }, (_, at) => ({ name, at })));
  const there = new Set(scenario.git('ls-tree', '-r', '--name-only', branch).trim().split('\n'));
  return wanted.filter(
    ({ name, at }) =>
      there.has(pathOf(name, at)) &&
      scenario.git('show', `${branch}:${pathOf(name, at)}`) === textOf(name, at),
  ).length;
}
