import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptModel } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { taskAssignment, type ExecutorSpec } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { ScriptedModels } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModels, type WorkerModels } from '../src/models.ts';
import { generousPermits } from './generous-permits.ts';

const key = 'sk-only-for-the-provider';
const logger = silentLogger();
let provider: ScriptedModels;
let sandbox: Sandbox;
let folder: string;
const opened: WorkerModels[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-models-test-'));
  provider = await ScriptedModels.start(() => ({ text: 'hello from the model' }));
  sandbox = await openSandbox({
    mode: 'auto',
    logger,
    clock: systemClock,
    searchPath: process.env['PATH'] ?? '',
  });
});
afterAll(async () => {
  for (const models of opened) await models.close();
  await sandbox.close();
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

function modelsOf(tier: 'bubblewrap' | 'none', env: Record<string, string>, file?: string): WorkerModels {
  const models = openModels({
    file,
    env,
    sandbox: { tier },
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  opened.push(models);
  models.talk.attach(generousPermits(models));
  return models;
}

function openFor(models: WorkerModels, executor: ExecutorSpec): Promise<AttemptModel> {
  const assignment = taskAssignment.parse({
    run: 'demo-abc',
    taskId: 'a',
    attempt: 1,
    fence: 1,
    instructions: '',
    workspacePath: 'src',
    acceptanceCriteria: [],
    kind: 'implement',
    workspace: ['src'],
    reads: 'all',
    executor,
    acceptance: [],
    timeoutMs: 10_000,
    base: '0'.repeat(40),
    scratch: [],
    round: 1,
    feedback: [],
  });
  return models.openModel(assignment, { logger, signal: new AbortController().signal });
}

const asking = `
const [url, token, direct] = process.argv.slice(1);
const ask = (to, key) => fetch(to, { method: 'POST', headers: { authorization: 'Bearer ' + key }, body: '{"model":"m"}' })
  .then((answer) => answer.text(), (error) => 'NO WAY ' + error.cause?.code);
Promise.all([ask(url, token), ask(direct, 'x')]).then(([through, around]) =>
  console.log(JSON.stringify({ through, around, env: JSON.stringify(process.env) })));
`;

describe('the models of a worker', () => {
  it('are reached from inside the sandbox by the gateway alone, and the key stays outside', async () => {
    const models = modelsOf('bubblewrap', { OPENAI_API_KEY: key, OPENAI_BASE_URL: `${provider.url}/v1` });
    const { endpoint, sockets } = await openFor(models, { kind: 'acp', agent: 'some' });
    const url = `${endpoint.openai}/chat/completions`;
    const { output } = await sandbox.run({
      argv: ['node', '-e', asking, url, endpoint.token, `${provider.url}/v1/chat/completions`],
      cwd: folder,
      mounts: [{ kind: 'write', source: folder }],
      env: {},
      network: { allow: [], sockets },
      timeoutMs: 30_000,
    });
    const said = JSON.parse(output) as { through: string; around: string; env: string };
    expect(said.through).toContain('hello from the model');
    expect(said.around).toContain('NO WAY');
    expect(said.env + JSON.stringify(endpoint)).not.toContain(key);
    expect(provider.requests.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
  });

  it('are at the loopback of this machine for our own loop, and where the sandbox is off', async () => {
    const env = { OPENAI_API_KEY: key, OPENAI_BASE_URL: `${provider.url}/v1` };
    for (const [tier, executor] of [
      ['bubblewrap', { kind: 'llm', model: 'm' }],
      ['none', { kind: 'acp', agent: 'some' }],
    ] as const) {
      const { endpoint, sockets } = await openFor(modelsOf(tier, env), executor);
      expect(sockets).toEqual([]);
      const answer = await fetch(`${endpoint.openai}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${endpoint.token}` },
        body: '{"model":"m"}',
      });
      expect(await answer.text()).toContain('hello from the model');
    }
  });

  it('come from a file that names the address and the key’s own file, and an error never shows the key', async () => {
    const keyFile = join(folder, 'key');
    const file = join(folder, 'models.json');
    writeFileSync(keyFile, `${key}\n`);
    writeFileSync(file, JSON.stringify({ providers: { anthropic: { baseUrl: provider.url, keyFile } } }));
    const models = modelsOf('none', {}, file);
    expect(models.secrets).toEqual([key]);
    const { endpoint } = await openFor(models, { kind: 'acp', agent: 'some' });
    const headers = { 'x-api-key': endpoint.token };
    await fetch(`${endpoint.anthropic}/v1/messages`, { method: 'POST', headers, body: '{"model":"m"}' });
    expect(provider.requests.at(-1)?.headers['x-api-key']).toBe(key);
    writeFileSync(file, `{"providers": {"anthropic": {"key": "${key}"}}}`);
    expect(() => modelsOf('none', {}, file)).toThrow(/anthropic/);
    writeFileSync(file, `{"providers": "${key}`);
    expect(() => modelsOf('none', {}, file)).toThrow(/no JSON/);
    try {
      modelsOf('none', {}, file);
    } catch (error) {
      expect(String(error)).not.toContain(key);
    }
  });
});
