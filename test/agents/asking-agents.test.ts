import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliBin, Scenario, type Running } from '../scenarios/harness.ts';
import { installAgents } from './installed-agents.ts';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';
import { wordsOnly } from './words-only.ts';

/** Agents that ask while they work, each in its own way, and a person who answers with another command. */
const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

const question = (id: string) => `which database for ${id}?`;
const writes = (id: string) => [
  { write: { path: `out/${id}/done.txt`, content: 'done\n' } },
  { text: 'all is written' },
];
const asks = (tool: string, id: string): Script[string][number] => ({
  tool,
  args: { question: question(id) },
});

const programs: Readonly<Record<string, object>> = {
  'by-claude': { kind: 'cli', agent: 'claude-code' },
  'by-codex': { kind: 'cli', agent: 'codex', model: 'scripted' },
  'by-claude-acp': { kind: 'acp', agent: 'claude-code' },
  'by-pi': { kind: 'cli', agent: 'pi', model: 'scripted' },
};
const script: Script = {
  ...Object.fromEntries(
    Object.keys(programs).map((id) => [id, [asks('mcp__switchyard__ask_orchestrator', id), ...writes(id)]]),
  ),
  // It takes no MCP servers: it leaves its question in the file that its prompt names, and ends.
  'by-words': [
    {
      shell: `case "$PWD" in *.1/clone/tree) echo '${JSON.stringify({ reason: question('by-words') })}' > ../../output/escalation.json;; *) mkdir -p out/by-words; echo done > out/by-words/done.txt;; esac`,
    },
    { text: 'this turn is over' },
  ],
  'by-loop': [asks('ask_orchestrator', 'by-loop'), ...writes('by-loop')],
  'by-policy': [asks('ask_orchestrator', 'by-policy'), ...writes('by-policy')],
};

let server: ModelServer;
let scenario: Scenario;
beforeEach(async () => {
  server = await openModelServer({ script });
  scenario = new Scenario({ 'README.md': '# Shop\n' });
});
afterEach(async () => {
  await scenario.close();
  await server.close();
});

function planOf(tasks: readonly object[]): string {
  const shared = { instructions: 'Ask, then write', review: 'never', retries: 0 };
  return JSON.stringify({ version: 1, name: 'ask', tasks: tasks.map((task) => ({ ...shared, ...task })) });
}

function begin(): Running {
  const file = join(scenario.folder, 'agents.json');
  writeFileSync(file, JSON.stringify({ 'words-only': wordsOnly() }));
  return scenario.start(process.execPath, [cliBin, 'run', 'plan.json'], {
    SWITCHYARD_AGENTS: file,
    SWITCHYARD_AGENT_FOLDERS: agents.kind === 'installed' ? agents.folder : '',
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: 'a-key-of-the-user',
    OPENAI_BASE_URL: `${server.url}/v1`,
    OPENAI_API_KEY: 'a-key-of-the-user',
  });
}

const askedWithinMs = 400_000;

/** Answers each task as soon as the run says that it asks, in whatever order they do. */
async function answer(run: Running, ids: readonly string[]): Promise<void> {
  const silent = new Set(ids);
  const end = Date.now() + askedWithinMs;
  const told = (id: string) =>
    new RegExp(`switchyard answer (\\S+) ${id} (?:--asked (\\S+) )?(?:--action (retry) )?--note`).exec(
      run.output(),
    );
  while (silent.size > 0) {
    const id = [...silent].find((each) => told(each) !== null);
    if (id === undefined) {
      if (run.child.exitCode !== null || Date.now() > end)
        throw new Error(`${[...silent].join(', ')} asked nothing:\n${run.output()}`);
      await pause(50);
      continue;
    }
    silent.delete(id);
    const [, name = '', asked, action] = told(id) ?? [];
    const words = ['answer', name, id, '--note', `small, for ${id}`];
    const { code, stdout, stderr } = await scenario.cli(
      ...words,
      ...(asked === undefined ? [] : ['--asked', asked]),
      ...(action === undefined ? [] : ['--action', action]),
    ).ended;
    expect(code, stdout + stderr).toBe(0);
  }
}

function transcripts(): string {
  const peers = join(scenario.state, 'peers');
  return readdirSync(peers, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('transcripts') && name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(peers, name), 'utf8'))
    .join('\n');
}

describe('an agent that asks', () => {
  it('is our own loop: answered at work by a person, or at once where the plan says so', async () => {
    const executor = { kind: 'llm', model: 'scripted' };
    scenario.write({
      'plan.json': planOf([
        { id: 'by-loop', workspace: 'out/by-loop', executor },
        { id: 'by-policy', workspace: 'out/by-policy', executor, questions: 'decide' },
      ]),
    });
    const run = begin();
    await answer(run, ['by-loop']);
    const { code, stdout, stderr } = await run.ended;
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('asks, and waits at work for the answer: which database for by-loop?');
    expect(stdout).toMatch(/by-policy +.*is told by its plan to decide by itself/);
    expect(stdout).not.toContain('attempt 2');
    expect(transcripts()).toContain('answered: small, for by-loop');
  });

  it.skipIf(agents.kind === 'unreachable')(
    `is a program of its own, which reaches us as an MCP server${skipped}`,
    async () => {
      const tasks = Object.entries(programs).map(([id, executor]) => ({
        id,
        executor,
        workspace: `out/${id}`,
      }));
      scenario.write({ 'plan.json': planOf(tasks) });
      const run = begin();
      await answer(run, Object.keys(programs));
      const { code, stdout, stderr } = await run.ended;
      expect(code, stdout + stderr + transcripts()).toBe(0);
      for (const id of Object.keys(programs)) expect(transcripts()).toContain(`The answer: small, for ${id}`);
      expect(stdout).not.toContain('attempt 2');
    },
  );

  it.skipIf(agents.kind === 'unreachable')(
    `is a program that takes no MCP servers, which goes on in its next attempt with the answer${skipped}`,
    async () => {
      const executor = { kind: 'cli', agent: 'words-only', model: 'scripted' };
      scenario.write({ 'plan.json': planOf([{ id: 'by-words', workspace: 'out/by-words', executor }]) });
      const run = begin();
      await answer(run, ['by-words']);
      const { code, stdout, stderr } = await run.ended;
      expect(code, stdout + stderr + transcripts()).toBe(0);
      const prompts = server.requests.map(({ body }) => body).join('\n');
      expect(prompts).toMatch(/The answer to what was asked before[^]{1,20}small, for by-words/);
      const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
      expect(scenario.git('show', `${branch}:out/by-words/done.txt`)).toBe('done\n');
    },
  );
});
