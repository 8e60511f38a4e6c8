import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliBin, Scenario } from '../scenarios/harness.ts';
import { closeWhenEnded, McpClient } from '../scenarios/mcp-client.ts';
import { installAgents } from './installed-agents.ts';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';

/** A real agent in the orchestrator role: Claude Code with our MCP server, its model scripted. */
const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

const work = 'mkdir -p "$SWITCHYARD_TASK" && cp "$SWITCHYARD_INSTRUCTIONS" "$SWITCHYARD_TASK/file"';
const call = (name: string, args: Record<string, unknown>): Script[string][number] => ({
  tool: `mcp__switchyard__${name}`,
  args,
});
const spawned = (task: string, over: Record<string, unknown> = {}): Script[string][number] =>
  call('spawn_parallel_instance', {
    ...{ taskId: task, workspacePath: `./${task}`, systemPrompt: `Do ${task}`, mcpServers: '' },
    ...over,
  });
const hold = { name: 'whole', tasks: [{ id: 'hold', kind: 'manual', instructions: 'Wait' }] };
const drafted = {
  name: 'agreed',
  defaults: { review: 'never', executor: { run: 'mkdir -p one && echo 1 > one/file' } },
  tasks: [{ id: 'one', instructions: 'Do it', workspace: 'one' }],
};
const script: Script = {
  draft: [
    { tool: 'WaitForMcpServers', args: {} },
    call('hand_in_plan', { plan: JSON.stringify(drafted) }),
    { text: 'the plan is handed in' },
  ],
  unasked: [{ tool: 'WaitForMcpServers', args: {} }, spawned('models'), { text: 'nothing is done' }],
  orchestrate: [
    // The agent connects while its model thinks already.
    { tool: 'WaitForMcpServers', args: {} },
    call('plan_check', { plan: JSON.stringify(hold) }),
    call('run_start', { plan: JSON.stringify(hold) }),
    spawned('models'),
    spawned('login', { dependsOn: ['models'] }),
    spawned('models'),
    call('run_wait', { timeoutSeconds: 250 }),
    call('gate_approve', { taskId: 'hold' }),
    call('run_wait', { timeoutSeconds: 250, untilAttention: false }),
    call('report', {}),
    { text: 'the work is done' },
  ],
};

let server: ModelServer;
let made: Scenario;
beforeEach(async () => {
  server = await openModelServer({ script });
  made = new Scenario({ 'README.md': '# Shop\n' });
});
afterEach(async () => {
  await closeWhenEnded(made);
  await server.close();
});

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Runs the agent to its end; its prompt names the scenario. */
function claude(folder: string, prompt: string, flags: readonly string[]): Promise<Ended> {
  const command = { command: process.execPath, args: [cliBin, 'mcp', '--command', work, ...flags] };
  const words = [
    ...['-p', prompt, '--output-format', 'stream-json', '--verbose', '--strict-mcp-config'],
    ...['--mcp-config', JSON.stringify({ mcpServers: { switchyard: command } })],
    ...['--permission-mode', 'bypassPermissions'],
  ];
  const child = spawn(join(folder, 'node_modules/.bin/claude'), words, {
    cwd: made.repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...made.env,
      ANTHROPIC_BASE_URL: server.url,
      ANTHROPIC_API_KEY: 'a-key-of-the-user',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      IS_SANDBOX: '1',
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}

describe.skipIf(agents.kind === 'unreachable')(`a real agent as orchestrator${skipped}`, () => {
  it('plans, spawns, follows and verifies through the MCP server', async () => {
    const folder = agents.kind === 'installed' ? agents.folder : '';
    const { code, text } = await claude(folder, 'Task: orchestrate', ['--approve', 'never']);
    expect(code, text).toBe(0);
    expect(text).toContain('the work is done');
    expect(text).toMatch(/status[^a-z]+spawned/);
    // A second task of the same name is refused, and the agent is told why.
    expect(text).toMatch(/Failed to spawn worker: E_PLAN_INVALID/);
    const branch = made.git('for-each-ref', '--format=%(refname:short)', 'refs/heads/switchyard').trim();
    expect(branch, text).toMatch(/^switchyard\/whole-/);
    expect(made.git('show', `${branch}:login/file`)).toContain('Do login');
    expect(made.git('show', `${branch}:models/file`)).toContain('Do models');
    expect(made.git('status', '--porcelain')).toBe('');
  });

  it('drafts a plan that is run, and what it said and did is there to read', async () => {
    const words = ['plan', 'draft', 'Make one', '--agent', 'claude-code', '--yes', '--run'];
    const draft = await made.start(process.execPath, [cliBin, ...words], {
      SWITCHYARD_AGENT_FOLDERS: agents.kind === 'installed' ? agents.folder : '',
      ANTHROPIC_BASE_URL: server.url,
      ANTHROPIC_API_KEY: 'a-key-of-the-user',
    }).ended;
    expect(draft.code, draft.stdout + draft.stderr).toBe(0);
    expect(draft.stdout).toMatch(/"id":\s*"one"/);
    expect(made.git('status', '--porcelain')).toBe('?? agreed.yaml\n');
    const reader = await new McpClient().stdio(made);
    const { runs } = await reader.answer<{ runs: { run: string; phase: string }[] }>('run_status');
    expect(runs.map(({ phase }) => phase)).toEqual(['completed', 'completed']);
    const run = runs.map((each) => each.run).find((name) => name.startsWith('draft')) ?? '';
    const { contents } = await reader.client.readResource({
      uri: `switchyard://runs/${run}/tasks/draft/transcript`,
    });
    await reader.close();
    const [content] = contents;
    const text = content !== undefined && 'text' in content ? content.text : '{}';
    const { transcripts } = JSON.parse(text) as { transcripts: { attempt: number; events: string[] }[] };
    expect(transcripts.map(({ attempt }) => attempt)).toEqual([1]);
    expect(transcripts[0]?.events.join('\n')).toMatch(/"kind":"tool-call"[^]*the plan is handed in/);
  });

  it('spawns nothing where its question to the user is dismissed, as it is with nobody there', async () => {
    const folder = agents.kind === 'installed' ? agents.folder : '';
    const { text } = await claude(folder, 'Task: unasked', []);
    expect(text).toMatch(/Not spawned: [^"]*--approve never/);
    expect(made.git('for-each-ref', 'refs/heads/switchyard')).toBe('');
    expect(existsSync(made.stateRoot)).toBe(false);
  });
});
