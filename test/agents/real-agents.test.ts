import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliBin, Scenario } from '../scenarios/harness.ts';
import { authFiles, authPlan, authScript } from './auth-plan.ts';
import { installAgents } from './installed-agents.ts';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';

/**
 * Real agent programs, each carrying out the whole authentication plan: in the sandbox, with the worker's own gateway
 * between them and a model that is scripted.
 */
const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

const loudServer = fileURLToPath(new URL('../../apps/worker/test/fixtures/mcp-server.mjs', import.meta.url));

let server: ModelServer;
let scenario: Scenario;
beforeEach(async () => {
  server = await openModelServer({ script: { ...authScript, ...mcpScript } });
  scenario = new Scenario({ 'README.md': '# Shop\n', 'src/index.ts': 'export {};\n' });
});
afterEach(async () => {
  await scenario.close();
  await server.close();
});

describe.skipIf(agents.kind === 'unreachable')(`real agents${skipped}`, () => {
  it.each([
    ['claude-code on its command line', { kind: 'cli', agent: 'claude-code' }],
    ['codex on its command line', { kind: 'cli', agent: 'codex', model: 'scripted' }],
    ['pi on its command line', { kind: 'cli', agent: 'pi', model: 'scripted' }],
    ['claude-code over the Agent Client Protocol', { kind: 'acp', agent: 'claude-code' }],
  ])('%s carries out the plan, every file right and none outside', async (_title, executor) => {
    scenario.write({ 'plan.json': authPlan(executor) });
    const run = await scenario.start(process.execPath, runWords, environment()).ended;
    expect(run.stdout + run.stderr).toMatch(/completed/);
    expect(run.code).toBe(0);
    const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
    const changed = scenario.git('diff', '--name-only', 'main', branch).trim().split('\n');
    expect(changed.sort()).toEqual(Object.keys(authFiles).sort());
    for (const [file, content] of Object.entries(authFiles))
      expect(scenario.git('show', `${branch}:${file}`)).toBe(content);
    expect(scenario.git('status', '--porcelain')).toBe('?? plan.json\n');
    const keys = server.requests.map(({ headers }) => headers['x-api-key'] ?? headers.authorization);
    expect(new Set(keys)).toEqual(new Set([keys[0]]));
    expect(keys[0]).toMatch(/a-key-of-the-user$/);
    expect(transcripts()).toHaveLength(5);
    for (const text of transcripts()) {
      expect(text).toMatch(/"kind":"tool-call".*\n(?:.*\n)*.*are written/);
      expect(text).not.toContain('a-key-of-the-user');
    }
  });

  it('reach the MCP servers of their task, and do not see what these are given', async () => {
    const folder = join(scenario.folder, 'servers');
    mkdirSync(folder);
    // It takes longer to start than a program waits for one that it could do without.
    copyFileSync(loudServer, join(folder, 'server.mjs'));
    const start = `#!/bin/sh\nsleep 4\nexec '${process.execPath}' '${join(folder, 'server.mjs')}'\n`;
    writeFileSync(join(folder, 'loud-server'), start, { mode: 0o755 });
    const file = join(scenario.folder, 'servers.json');
    writeFileSync(
      file,
      JSON.stringify({
        loud: { title: 'Loud', program: join(folder, 'loud-server'), env: ['LOUD_LICENCE'] },
      }),
    );
    scenario.write({ 'plan.json': mcpPlan });
    const env = { ...environment(), SWITCHYARD_MCP_SERVERS: file, LOUD_LICENCE: 'a-token-of-the-server' };
    const run = await scenario.start(process.execPath, runWords, env).ended;
    expect(run.code, run.stdout + run.stderr + transcripts().join('\n')).toBe(0);
    const said = transcripts().join('\n');
    for (const id of Object.keys(mcpTasks)) expect(said).toContain(`HELLO ${id.toUpperCase()} [Redacted]`);
    expect(said).not.toContain('a-token-of-the-server');
  });
});

/** A task for each way in which an agent reaches the servers of its task. */
const mcpTasks: Readonly<Record<string, object>> = {
  'by-claude': { kind: 'cli', agent: 'claude-code' },
  'by-codex': { kind: 'cli', agent: 'codex', model: 'scripted' },
  'by-claude-acp': { kind: 'acp', agent: 'claude-code' },
  'by-pi': { kind: 'cli', agent: 'pi', model: 'scripted' },
};
const mcpPlan = JSON.stringify({
  version: 1,
  name: 'mcp',
  tasks: Object.entries(mcpTasks).map(([id, executor]) => ({
    id,
    executor,
    instructions: 'Shout',
    workspace: `out/${id}`,
    mcpServers: ['loud'],
    review: 'never',
    timeoutMinutes: 2,
  })),
});

const mcpScript: Script = Object.fromEntries(
  Object.keys(mcpTasks).map((id) => [
    id,
    [
      { tool: 'mcp__loud__shout', args: { text: `hello ${id}` } },
      { write: { path: `out/${id}/done.txt`, content: 'done\n' } },
      { text: 'shouted' },
    ],
  ]),
);

const runWords = [cliBin, 'run', 'plan.json'];

function environment(): NodeJS.ProcessEnv {
  return {
    SWITCHYARD_AGENT_FOLDERS: agents.kind === 'installed' ? agents.folder : '',
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: 'a-key-of-the-user',
    OPENAI_BASE_URL: `${server.url}/v1`,
    OPENAI_API_KEY: 'a-key-of-the-user',
  };
}

/** What the workers kept of their agents. */
function transcripts(): string[] {
  const peers = join(scenario.state, 'peers');
  return readdirSync(peers, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('transcripts') && name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(peers, name), 'utf8'));
}
