import {
  builtInModes,
  grantsOf,
  ownTools,
  type AgentEvent,
  type Mode,
  type ToolPorts,
} from '@switchyard/agents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ToolDesk } from './tool-desk.ts';

const modeOf = (slug: string): Mode => {
  const found = builtInModes.find((mode) => mode.slug === slug);
  if (found === undefined) throw new Error(`there is no mode ${slug}`);
  return found;
};

let desk: ToolDesk;
beforeEach(() => {
  desk = new ToolDesk({ 'README.md': '# Demo\n' });
});
afterEach(() => desk.close());

type Port = 'spawn' | 'handInPlan';

/** What a program in a mode has, and what became of its calls. */
function scene(rights: Pick<Mode, 'slug' | 'grants'>, has: readonly Port[] = ['spawn', 'handInPlan']) {
  const events: AgentEvent[] = [];
  const asked: unknown[] = [];
  const outward: Required<Pick<ToolPorts, Port>> = {
    spawn: (request) => {
      asked.push(request);
      return Promise.resolve({ workerId: 'w', status: 'spawned', workspace: request.workspacePath });
    },
    handInPlan: (plan) => {
      asked.push(plan);
      return Promise.resolve('it is taken');
    },
  };
  const ports: ToolPorts = {
    files: desk.guard,
    root: desk.tree,
    run: () => Promise.reject(new Error('no command is asked for here')),
    signal: new AbortController().signal,
    ...Object.fromEntries(has.map((port) => [port, outward[port]])),
  };
  const tools = ownTools(rights, ports, (event) => events.push(event));
  const call = async (name: string, input: unknown): Promise<string> => {
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) throw new Error(`there is no ${name}`);
    return tool.call(input).catch((error: unknown) => String(error));
  };
  return {
    listed: tools.filter(({ isHidden }) => isHidden !== true).map(({ name }) => name),
    call,
    asked,
    events,
  };
}

const spawn = { taskId: 'a', workspacePath: 'src', systemPrompt: 'Do it', mcpServers: '["x"]' };

describe('what an agent of a program may have of us', () => {
  it('is all for who orchestrates', async () => {
    const { listed, call, asked, events } = scene(modeOf('orchestrator'));
    expect(listed).toEqual(['spawn_parallel_instance', 'hand_in_plan']);
    expect(await call('spawn_parallel_instance', spawn)).toBe(
      '{"workerId":"w","status":"spawned","workspace":"src"}',
    );
    expect(await call('hand_in_plan', { plan: 'tasks: []' })).toBe('it is taken');
    expect(await call('hand_in_plan', { plans: 1 })).toMatch(/E_TOOL_INPUT/);
    expect(asked).toEqual([{ ...spawn, mcpServers: ['x'] }, 'tasks: []']);
    expect(events).toEqual([]);
  });

  it.each(builtInModes.filter(({ slug }) => slug !== 'orchestrator').map(({ slug }) => slug))(
    'is nothing for a %s, and calls come to nothing but words',
    async (slug) => {
      const { listed, call, asked, events } = scene(modeOf(slug));
      expect(listed).toEqual([]);
      expect(await call('spawn_parallel_instance', spawn)).toMatch(/E_TOOL_DENIED: The mode/);
      expect(await call('hand_in_plan', { plan: 'tasks: []' })).toMatch(/E_TOOL_DENIED: The mode/);
      expect(asked).toEqual([]);
      expect(events).toMatchObject([
        { kind: 'denied', what: 'spawn_parallel_instance', code: 'E_TOOL_DENIED' },
        { kind: 'denied', what: 'hand_in_plan', code: 'E_TOOL_DENIED' },
      ]);
    },
  );

  it('is nothing for an orchestrator whose repository takes the group from it', async () => {
    const grants = grantsOf('orchestrator').filter(({ group }) => group !== 'spawn');
    const { listed, call, asked } = scene({ slug: 'orchestrator', grants });
    expect(listed).toEqual([]);
    expect(await call('spawn_parallel_instance', spawn)).toMatch(/E_TOOL_DENIED/);
    expect(asked).toEqual([]);
  });

  it('is only to hand in where a plan is drafted, and only to spawn where none is', async () => {
    const drafting = scene(modeOf('orchestrator'), ['handInPlan']);
    expect(drafting.listed).toEqual(['hand_in_plan']);
    expect(await drafting.call('spawn_parallel_instance', spawn)).toMatch(
      /E_TOOL_DENIED: There is no run here/,
    );
    expect(drafting.events).toHaveLength(1);
    const leading = scene(modeOf('orchestrator'), ['spawn']);
    expect(leading.listed).toEqual(['spawn_parallel_instance']);
    expect(await leading.call('hand_in_plan', { plan: 'x' })).toMatch(/E_TOOL_DENIED: This task/);
  });
});
