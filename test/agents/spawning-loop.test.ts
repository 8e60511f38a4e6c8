import { expect, it } from 'vitest';
import { cliBin, Scenario } from '../scenarios/harness.ts';
import { openModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';

const spawn = (id: string): Script[string][number] => ({
  tool: 'spawn_parallel_instance',
  args: { taskId: id, workspacePath: `./${id}`, systemPrompt: `Write ${id}`, mcpServers: '' },
});
const writes = (id: string): Script[string] => [
  { write: { path: `${id}/done.txt`, content: `${id}\n` } },
  { text: 'it is written' },
];
const script: Script = {
  lead: [spawn('models'), spawn('login'), spawn('models'), { text: 'they are on their way' }],
  models: writes('models'),
  login: writes('login'),
  // In the mode of a worker the tool is not there, and the call comes to nothing.
  cheat: [spawn('more'), ...writes('cheat')],
};

it('our own loop in orchestrator mode spawns tasks, and in no other', async () => {
  const server = await openModelServer({ script });
  const scenario = new Scenario({ 'README.md': '# Shop\n' });
  try {
    const executor = { kind: 'llm', model: 'scripted' };
    const plan = {
      version: 1,
      name: 'lead',
      tasks: [
        { id: 'lead', kind: 'verify', instructions: 'Lead', executor: { ...executor, mode: 'orchestrator' } },
        { id: 'cheat', instructions: 'Cheat', workspace: 'cheat', review: 'never', executor },
      ],
    };
    scenario.write({ 'plan.json': JSON.stringify(plan) });
    const run = await scenario.start(process.execPath, [cliBin, 'run', 'plan.json'], {
      OPENAI_BASE_URL: `${server.url}/v1`,
      OPENAI_API_KEY: 'a-key-of-the-user',
    }).ended;
    expect(run.code, run.stdout + run.stderr).toBe(0);
    const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
    const changed = scenario.git('diff', '--name-only', 'main', branch).trim().split('\n');
    expect(changed.sort()).toEqual(['cheat/done.txt', 'login/done.txt', 'models/done.txt']);
    expect(run.stdout).toMatch(/added models[^]*added login|added login[^]*added models/);
    const said = server.requests.map(({ body }) => JSON.stringify(body)).join('\n');
    expect(said).toContain('E_TOOL_DENIED');
    expect(said).toContain('E_PLAN_INVALID');
  } finally {
    await scenario.close();
    await server.close();
  }
});
