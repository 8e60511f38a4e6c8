import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliBin, Scenario } from '../scenarios/harness.ts';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';

/**
 * The other agents of the registry, where somebody has installed them: 1.5 GB, so not by every run of the tests.
 *
 *     npm install --prefix FOLDER @google/gemini-cli@… (as `switchyard doctor` says)
 *     SWITCHYARD_TEST_AGENTS=FOLDER npx vitest run --config tools/vitest/vitest.config.ts test/agents/more-agents.test.ts
 */
const folder = process.env['SWITCHYARD_TEST_AGENTS'] ?? '';
const skipped = folder === '' ? ' (skipped: SWITCHYARD_TEST_AGENTS names no folder with them)' : '';

const names = ['claude-agent', 'codex', 'gemini', 'qwen', 'opencode', 'copilot'];
const script: Script = Object.fromEntries(
  names.map((name) => [
    name,
    [
      { shell: `mkdir -p out/${name} && echo done > out/${name}/done.txt; echo x > README.md` },
      { text: 'all is written' },
    ],
  ]),
);

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

describe.skipIf(folder === '')(`more agents over the protocol${skipped}`, () => {
  it.each(names)('%s carries out a task, in its workspace alone', async (agent) => {
    const executor = { kind: 'acp', agent, model: 'scripted' };
    const task = { id: agent, instructions: 'Write', workspace: `out/${agent}`, review: 'never', executor };
    scenario.write({ 'plan.json': JSON.stringify({ version: 1, name: 'more', tasks: [task] }) });
    const run = await scenario.start(process.execPath, [cliBin, 'run', 'plan.json'], {
      SWITCHYARD_AGENT_FOLDERS: folder,
      ANTHROPIC_BASE_URL: server.url,
      ANTHROPIC_API_KEY: 'a-key-of-the-user',
      OPENAI_BASE_URL: `${server.url}/v1`,
      OPENAI_API_KEY: 'a-key-of-the-user',
      GOOGLE_GEMINI_BASE_URL: server.url,
      GEMINI_API_KEY: 'a-key-of-the-user',
    }).ended;
    expect(run.code, run.stdout + run.stderr).toBe(0);
    const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
    expect(scenario.git('diff', '--name-only', 'main', branch).trim()).toBe(`out/${agent}/done.txt`);
    expect(server.requests.every(({ model }) => model === 'scripted')).toBe(true);
  });
});
