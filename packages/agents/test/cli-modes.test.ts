import {
  agentTable,
  cliExecutor,
  executeTask,
  type ExecutorOutcome,
  type ToolRights,
} from '@switchyard/agents';
import { settle, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentBench } from './agent-bench.ts';

/** Agents of the command line in a mode: what it grants decides what their process may write, and what they may have of us. */
let bench: AgentBench;
beforeEach(() => {
  bench = new AgentBench();
  bench.install('claude');
});
afterEach(() => bench.close());

const customModes = [
  {
    slug: 'docs-writer',
    name: 'Documentation',
    roleDefinition: 'You write documentation.',
    customInstructions: 'Every example must run.',
    groups: ['read', ['edit', { fileRegex: '\\.md$' }], 'command'],
  },
  {
    slug: 'free',
    name: 'Free',
    roleDefinition: 'You do as you like.',
    groups: ['read', 'edit', 'command', 'spawn'],
  },
];
const roomodes = JSON.stringify({ customModes });

interface Played {
  readonly outcome: ExecutorOutcome;
  readonly offered: readonly ToolRights[];
}

async function play(
  mode: string | undefined,
  extra: object = {},
  modes: string | undefined = roomodes,
): Promise<Played> {
  const offered: ToolRights[] = [];
  const task = bench.task({ kind: 'cli', agent: 'claude-code', ...(mode !== undefined && { mode }) }, extra);
  const readRoomodes = () => Promise.resolve(modes);
  const programs = {
    agents: agentTable({}),
    programs: bench.programs,
    clock: new VirtualClock(),
    readRoomodes,
  };
  const context = { ...bench.context(), offer: (rights: ToolRights) => void offered.push(rights) };
  const outcome = executeTask([cliExecutor(programs)], task, context);
  await settle();
  bench.process.say({ type: 'result', is_error: false, result: 'done' }).end();
  return { outcome: await outcome, offered };
}

const groupsOf = (rights: ToolRights | undefined) => (rights?.grants ?? []).map(({ group }) => group);
const prompt = (): string =>
  bench.events.flatMap((event) => (event.kind === 'prompt' ? [event.text] : [])).join('');
const verify = { kind: 'verify', workspace: [] };

describe('an agent of the command line', () => {
  it('in a mode of the repository has its words, and writes nothing where that edits only some files', async () => {
    const { outcome, offered } = await play('docs-writer');
    expect(outcome).toMatchObject({ kind: 'done' });
    expect(bench.spawned[0]?.writes).toBe('none');
    expect(groupsOf(offered[0])).toEqual(['read', 'edit', 'command']);
    expect(prompt()).toMatch(/# Who you are\n\nYou write documentation\.\n\nEvery example must run\./);
  });

  it('in one that edits all files writes its workspace, and spawns nothing, whatever the file grants', async () => {
    const { offered } = await play('free');
    expect(bench.spawned[0]?.writes).toBe('workspace');
    expect(groupsOf(offered[0])).toEqual(['read', 'edit', 'command']);
  });

  it('in no mode is a worker', async () => {
    const { offered } = await play(undefined);
    expect(bench.spawned[0]?.writes).toBe('workspace');
    expect(groupsOf(offered[0])).toEqual(['read', 'edit', 'command', 'mcp']);
    expect(prompt()).not.toContain('# Who you are');
  });

  it('where its task verifies writes nothing, and so is held or refused', async () => {
    const { offered } = await play(undefined, verify);
    expect(bench.spawned[0]?.writes).toBe('none');
    expect(groupsOf(offered[0])).toEqual(['read', 'command']);
  });

  it.each([
    ['verifies', verify],
    ['implements', {}],
  ])(
    'in the mode of an orchestrator writes nothing and may spawn, also where its task %s',
    async (_what, extra) => {
      const { offered } = await play('orchestrator', extra);
      expect(bench.spawned[0]?.writes).toBe('none');
      expect(groupsOf(offered[0])).toEqual(['read', 'command', 'mcp', 'spawn']);
      expect(prompt()).toContain('You coordinate workers');
    },
  );

  it('has what the repository leaves of that mode', async () => {
    const narrow = { slug: 'orchestrator', name: 'Lead', roleDefinition: 'You only look.', groups: ['read'] };
    const { offered } = await play('orchestrator', verify, JSON.stringify({ customModes: [narrow] }));
    expect(groupsOf(offered[0])).toEqual(['read']);
    expect(prompt()).toContain('You only look.');
  });

  it.each([
    ['that nobody knows', 'yolo', /There is no mode "yolo"/],
    ["that is nobody's to choose", 'worker', /cannot be chosen by hand/],
    ['of a reviewer', 'reviewer-security', /this agent works as worker/],
  ])('is not started in a mode %s', async (_what, mode, words) => {
    const { outcome } = await play(mode);
    expect(outcome).toMatchObject({
      kind: 'failed',
      failure: { code: 'E_MODE', message: expect.stringMatching(words) as string },
    });
    expect(bench.spawned).toEqual([]);
  });
});
