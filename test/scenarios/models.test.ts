import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelDesk, type Said } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

const key = 'sk-ant-key-of-the-scenario';
const made = new Scenario({
  'readme.txt': 'a repository\n',
  'plan.yaml': `version: 1\nname: models\nlimits: { budgetUsd: 0.001 }\ntasks:\n  - { id: one, instructions: write one, workspace: one, review: { mode: never }, executor: { kind: llm, model: claude-test } }\n`,
});
let model: ModelDesk;

const script: readonly Said[] = [
  { status: 429, headers: { 'retry-after': '1' } },
  { calls: [{ tool: 'write_to_file', input: { path: 'one/file.txt', content: 'done\n' } }] },
  { calls: [{ tool: 'attempt_completion', input: { result: 'it is written' } }] },
];

beforeAll(async () => {
  model = await ModelDesk.open(script);
  const keys = join(made.folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  writeFileSync(join(keys, 'anthropic'), `${key}\n`, { mode: 0o600 });
  const { anthropic: baseUrl } = model.endpoint;
  const anthropic = { baseUrl, keyFile: join(keys, 'anthropic'), quota: { rpm: 100 } };
  const file = join(keys, 'models.json');
  writeFileSync(file, JSON.stringify({ providers: { anthropic } }));
  made.env['SWITCHYARD_MODELS'] = file;
});
afterAll(async () => {
  await made.close();
  await model.close();
});

describe('a run whose task asks a model', () => {
  it('stops at its budget in the middle of the task, says so, and goes on with a larger one', async () => {
    const running = made.cli('run', 'plan.yaml');
    const run = await until(
      'the end of the budget',
      () => /switchyard budget raise (\S+) USD/.exec(running.output())?.[1],
    );
    expect(model.heard).toHaveLength(2); // the refused one, and one that was more than the budget
    const shown = await made.cli('run', 'show', run).ended;
    expect(shown.stdout).toContain('the budget of the run is used up');
    const raised = await made.cli('budget', 'raise', run, '5').ended;
    expect([raised.code, raised.stdout]).toEqual([0, expect.stringContaining('is $5 now')]);
    const { code, stdout, stderr } = await running.ended;
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
    expect(model.heard.map(({ headers }) => headers['x-api-key'])).toEqual([key, key, key]);
  });

  it('is counted by run, task and model, and in the tables', async () => {
    const { stdout } = await made.cli('usage', '--json').ended;
    expect(JSON.parse(stdout)).toMatchObject([
      { taskId: 'one', agent: 'llm', provider: 'anthropic', model: 'claude-test', requests: 2 },
    ]);
    const { stdout: rows } = await made.cli(
      ...['projections', 'query', 'select task, requests, micro_usd > 0 as paid from usage', '--json'],
    ).ended;
    expect(JSON.parse(rows)).toEqual([{ task: 'one', requests: 2, paid: 1 }]);
  });

  it('leaves the key in no log, transcript, journal or report', () => {
    const files = readdirSync(made.stateRoot, { recursive: true, withFileTypes: true, encoding: 'utf8' });
    const holding = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .filter((path) => readFileSync(path).includes(key));
    expect(files.length).toBeGreaterThan(20);
    expect(holding).toEqual([]);
  });
});
