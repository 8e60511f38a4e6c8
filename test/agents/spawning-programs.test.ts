import { describe, expect, it } from 'vitest';
import { cliBin } from '../scenarios/harness.ts';
import { installAgents } from './installed-agents.ts';
import type { Script, Step } from './model-server/script.ts';
import { useScriptedScene } from './scripted-scene.ts';

/** Agents' own programs that lead a run: they have the tool of our loop from the MCP server that each attempt has. */
const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

const leads: Readonly<Record<string, object>> = {
  'lead-acp': { kind: 'acp', agent: 'claude-code' },
  'lead-claude': { kind: 'cli', agent: 'claude-code' },
  'lead-codex': { kind: 'cli', agent: 'codex', model: 'scripted' },
  'lead-pi': { kind: 'cli', agent: 'pi', model: 'scripted' },
};
const spawn = (id: string): Step => ({
  tool: 'mcp__switchyard__spawn_parallel_instance',
  args: { taskId: id, workspacePath: `./${id}`, systemPrompt: `Write ${id}`, mcpServers: '' },
});
const script: Script = Object.fromEntries(
  Object.keys(leads).flatMap((lead): [string, Step[]][] => [
    [
      lead,
      [
        // Over the protocol by the client's own tool, else by shell; neither may.
        lead === 'lead-acp'
          ? { write: { path: 'README.md', content: 'x\n' } }
          : { shell: 'echo x > README.md; echo tried' },
        spawn(`of-${lead}`),
        spawn(`of-${lead}`),
        { text: 'they are on their way' },
      ],
    ],
    [
      `of-${lead}`,
      [{ write: { path: `of-${lead}/done.txt`, content: 'done\n' } }, { text: 'it is written' }],
    ],
  ]),
);

const refusal = /Read-only file system|the mode .{1,4}orchestrator.{1,4} edits nothing/;

const scene = useScriptedScene(script);

describe.skipIf(agents.kind === 'unreachable')(`a program in orchestrator mode${skipped}`, () => {
  it.each(Object.entries(leads))(
    'adds tasks, which its like carries out, and changes nothing itself: %s',
    async (id, executor) => {
      const task = {
        id,
        kind: 'verify',
        instructions: 'Lead',
        executor: { ...executor, mode: 'orchestrator' },
      };
      const plan = { version: 1, name: 'lead', defaults: { review: 'never' }, tasks: [task] };
      scene.scenario.write({ 'plan.json': JSON.stringify(plan) });
      const run = await scene.scenario.start(process.execPath, [cliBin, 'run', 'plan.json'], {
        ...scene.environment(agents.kind === 'installed' ? agents.folder : ''),
      }).ended;
      const said = scene.server.requests.map(({ body }) => body).join('\n');
      expect(run.code, run.stdout + run.stderr + said.slice(-2_000)).toBe(0);
      expect(run.stdout).toContain(`added of-${id}`);
      const branch = scene.scenario
        .git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard')
        .trim();
      expect(scene.scenario.git('diff', '--name-only', 'main', branch).trim()).toBe(`of-${id}/done.txt`);
      expect(refusal.exec(said)?.[0]).toBeDefined();
      // The second of the same name is refused, and the agent is told why.
      expect(said.includes('E_PLAN_INVALID')).toBe(true);
    },
    120_000,
  );
});
