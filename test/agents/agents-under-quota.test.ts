import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { ExecutorSpec } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fullestMinute } from '../bench/gateway-quota.ts';
import { installAgents } from './installed-agents.ts';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';
import { QuotaScene, type AgentEnd } from './quota-scene.ts';

/** What real agents make of a model that they may not ask as often as they want, and of one that fails them. */
const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

let sandbox: Sandbox;
let server: ModelServer | undefined;
let scene: QuotaScene | undefined;
beforeAll(async () => {
  sandbox = await openSandbox({
    mode: 'auto',
    logger: silentLogger(),
    clock: systemClock,
    searchPath: process.env['PATH'] ?? '',
  });
});
afterAll(() => sandbox.close());
afterEach(async () => {
  await scene?.close();
  await server?.close();
});

interface Played {
  readonly ends: ReadonlyMap<string, AgentEnd>;
  readonly server: ModelServer;
}

async function play(script: Script, tasks: Record<string, ExecutorSpec>, rpm: number): Promise<Played> {
  let opened: ModelServer | undefined;
  scene = new QuotaScene({
    sandbox,
    agents: agents.kind === 'installed' ? agents.folder : '',
    tasks,
    rpm,
    model: async (now) => {
      server = opened = await openModelServer({ script, now });
      return opened.url;
    },
  });
  const ends = await scene.play();
  if (opened === undefined) throw new Error('nobody asked for the model');
  return { ends, server: opened };
}

const write = (task: string, name: string) => ({
  write: { path: `${task}/${name}`, content: `${name} of ${task}\n` },
});
const codex: ExecutorSpec = { kind: 'cli', agent: 'codex', model: 'scripted' };
const claude: ExecutorSpec = { kind: 'acp', agent: 'claude-code' };

describe.skipIf(agents.kind === 'unreachable')(`real agents${skipped}`, () => {
  it('are never over the quota that they share, and do their work', async () => {
    // Fewer than each of them needs, so that both have to wait.
    const rpm = 3;
    const steps = (task: string) => [
      { shell: 'ls' },
      write(task, 'one.txt'),
      { shell: 'ls' },
      write(task, 'two.txt'),
      { text: 'both files are written' },
    ];
    const tasks = { 'by-codex': codex, 'by-claude': claude };
    const script = { 'by-codex': steps('by-codex'), 'by-claude': steps('by-claude') };
    const { ends, server: model } = await play(script, tasks, rpm);
    for (const task of Object.keys(tasks)) {
      const end = ends.get(task);
      expect(end?.outcome).toMatchObject({ kind: 'done' });
      expect(end?.files).toEqual({
        'README.md': '# Shop\n',
        [`${task}/one.txt`]: `one.txt of ${task}\n`,
        [`${task}/two.txt`]: `two.txt of ${task}\n`,
      });
      expect(end?.heldMs).toBeGreaterThan(10_000);
    }
    expect(model.arrivals.length).toBeGreaterThanOrEqual(10);
    expect(fullestMinute(model.arrivals)).toBeLessThanOrEqual(rpm);
  });

  it('get through a storm of refusals, an error and a cut stream', async () => {
    const task = 'by-codex';
    const script: Script = {
      [task]: [
        { shell: 'ls', status: 429, retryAfterSeconds: 40, times: 4 },
        { ...write(task, 'one.txt'), status: 500, times: 2 },
        { ...write(task, 'two.txt'), cutAfter: 2 },
        { text: 'both files are written' },
      ],
    };
    const { ends, server: model } = await play(script, { [task]: codex }, 1_000);
    const end = ends.get(task);
    expect(end?.outcome).toMatchObject({ kind: 'done' });
    expect(end?.files).toEqual({
      'README.md': '# Shop\n',
      [`${task}/one.txt`]: `one.txt of ${task}\n`,
      [`${task}/two.txt`]: `two.txt of ${task}\n`,
    });
    expect(model.requests.map(({ step, status }) => [step, status])).toEqual([
      ...Array.from({ length: 4 }, () => [0, 429]),
      [0, 200],
      [1, 500],
      [1, 500],
      [1, 200],
      [2, 200],
      [2, 200],
      [3, 200],
    ]);
    const times = model.requests.map(({ atMs }) => atMs);
    for (const at of [1, 2, 3, 4])
      expect((times[at] ?? 0) - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(40_000);
  });
});
