import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentTable } from '@switchyard/agents';
import { describe, expect, it } from 'vitest';
import { cliBin, type Ended } from '../scenarios/harness.ts';
import { installAgents } from './installed-agents.ts';
import type { Script, Step } from './model-server/script.ts';
import { useScriptedScene } from './scripted-scene.ts';
import { wordsOnly } from './words-only.ts';

/** Agents that draft a plan: in the mode of an orchestrator, so that they change nothing, and each hands in as it can. */
const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

const work = { run: 'mkdir -p "$SWITCHYARD_TASK" && echo done > "$SWITCHYARD_TASK/file"' };
const planOf = (second: string): string =>
  JSON.stringify({
    name: 'agreed',
    defaults: { review: 'never', executor: work },
    tasks: ['one', second].map((workspace, at) => ({
      id: ['one', 'two'][at],
      instructions: 'Do it',
      workspace,
    })),
  });
const overlapping = planOf('one/inside');
const disjoint = planOf('two');
const handsIn = (tool: string, plan: string): Step => ({ tool, args: { plan } });
/** Tries to change something first, by tool and by shell. */
const drafts = (tool: string): Step[] => [
  { write: { path: 'stolen.txt', content: 'x\n' } },
  { shell: 'echo x > README.md; echo x > stolen-too.txt' },
  handsIn(tool, overlapping),
  handsIn(tool, disjoint),
  { text: 'the plan is handed in' },
];
const overMcp = 'mcp__switchyard__hand_in_plan';
const script: Script = {
  'by-claude': drafts(overMcp),
  'by-codex': drafts(overMcp),
  'by-claude-acp': drafts(overMcp),
  'by-loop': drafts('hand_in_plan'),
  'by-pi': drafts(overMcp),
  'by-words': [{ shell: 'echo x > README.md' }, { text: `Here it is:\n\`\`\`yaml\n${disjoint}\n\`\`\`\n` }],
  stubborn: [...Array.from({ length: 4 }, () => handsIn('hand_in_plan', overlapping)), { text: 'no' }],
  // Nothing is begun before the plan is approved.
  eager: [
    {
      tool: 'spawn_parallel_instance',
      args: { taskId: 'early', workspacePath: 'early', systemPrompt: 'Begin' },
    },
    handsIn('hand_in_plan', disjoint),
    { text: 'the plan is handed in' },
  ],
};

const scene = useScriptedScene(script);

function draft(name: string, ...words: readonly string[]): Promise<Ended> {
  const file = join(scene.scenario.folder, 'agents.json');
  const overAcp = { title: 'Claude Code over ACP alone', acp: agentTable().get('claude-code')?.acp };
  writeFileSync(file, JSON.stringify({ 'claude-acp': overAcp, 'words-only': wordsOnly() }));
  return scene.scenario.start(process.execPath, [cliBin, 'plan', 'draft', `Task: ${name}`, ...words], {
    SWITCHYARD_AGENTS: file,
    ...scene.environment(agents.kind === 'installed' ? agents.folder : ''),
  }).ended;
}

function transcripts(): string {
  const peers = join(scene.scenario.state, 'peers');
  return readdirSync(peers, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('transcripts') && name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(peers, name), 'utf8'))
    .join('\n');
}

const said = (): string => scene.server.requests.map(({ body }) => body).join('\n');

async function draftsWell(name: string, ...words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await draft(name, ...words, '--output', 'plan.yaml');
  expect(code, stdout + stderr + transcripts()).toBe(0);
  expect(stderr).not.toContain('round 2');
  expect(readFileSync(join(scene.scenario.repository, 'plan.yaml'), 'utf8').trim()).toBe(disjoint);
  expect(scene.scenario.git('status', '--porcelain')).toBe('?? plan.yaml\n');
  expect(transcripts()).toMatch(
    /README\.md: Read-only file system|the mode .{1,4}orchestrator.{1,4} edits nothing/,
  );
}

describe('our own loop', () => {
  it('drafts a plan, and mends it when it is told at once what is wrong with it', async () => {
    await draftsWell('by-loop', '--model', 'scripted');
    expect(said()).toMatch(/The plan is not accepted; it has 1 problems[^]*lies inside/);
    expect(said()).toContain('The plan is accepted');
    expect(said()).not.toContain('"write_to_file","description"');
  });

  it('is told no more after its rounds, and nothing comes of it', async () => {
    const { code, stdout, stderr } = await draft('stubborn', '--model', 'scripted', '--rounds', '2');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/round 1 of 2[^]*lies inside[^]*after 2 rounds the plan still has problems/);
    expect(stderr).not.toContain('round 2');
    expect(said()).toContain('No more plans are taken');
  });

  it('begins nothing while it drafts', async () => {
    const { code, stdout, stderr } = await draft('eager', '--model', 'scripted', '--output', 'plan.yaml');
    expect(code, stdout + stderr).toBe(0);
    expect(said()).not.toContain('"spawned');
    expect(transcripts()).toMatch(/"kind":"denied","what":"spawn_parallel_instance/);
    const { stdout: runs } = await scene.scenario.cli('run', 'list', '--json').ended;
    expect(runs).not.toContain('early');
  });
});

describe.skipIf(agents.kind === 'unreachable')(`a real agent${skipped}`, () => {
  it.each([
    ['by-claude', '--agent', 'claude-code'],
    ['by-codex', '--agent', 'codex', '--model', 'scripted'],
    ['by-claude-acp', '--agent', 'claude-acp'],
    ['by-pi', '--agent', 'pi', '--model', 'scripted'],
  ])(
    'drafts a plan, %s',
    async (name, ...words) => {
      await draftsWell(name, ...words);
      expect(transcripts()).toMatch(/The plan is not accepted; it has 1 problems/);
      expect(transcripts()).toContain('The plan is accepted');
    },
    120_000,
  );

  it('that takes no MCP servers hands in by its last words', async () => {
    await draftsWell('by-words', '--agent', 'words-only', '--model', 'scripted');
  });
});
