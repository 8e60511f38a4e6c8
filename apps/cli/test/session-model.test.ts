import { sessionReport, type SessionReport } from '@switchyard/protocol';
import { ModelDesk, type Said } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sessionCommand } from './session-command.ts';
import { ProjectOfTest } from './session-project.ts';

let project: ProjectOfTest;
let model: ModelDesk;
beforeEach(() => {
  project = new ProjectOfTest();
});
afterEach(async () => {
  await model.close();
  project.close();
});

/** `session …` with a model that says these one after the other. */
function session(...args: string[]) {
  const keys = {
    ANTHROPIC_API_KEY: 'sk-only-for-the-provider',
    ANTHROPIC_BASE_URL: model.endpoint.anthropic,
  };
  return sessionCommand({ root: project.root, environment: { ...project.environment, ...keys } }, args);
}

const read = (path: string) => ({ tool: 'read_file', input: { path } });
const submit = (findings: readonly object[]): Said => ({
  calls: [{ tool: 'submit_review', input: { summary: 'I read the formula.', findings } }],
});
const start = ['start', '3', '--reviewers', 'documentation', '--model', 'claude-test'];

async function reportOfModel(): Promise<SessionReport> {
  return sessionReport.parse(JSON.parse((await session('report', '3', '--json')).stdout));
}

it('reviews beside the static engines, and sees what is under review and what it is measured by', async () => {
  project.put('.gitignore', '.env\n');
  project.put('.env', 'SECRET_OF_MINE=1\n');
  model = await ModelDesk.open([
    {
      calls: [read('.env'), read('.git/config'), read('docs/specs/architecture.md'), read('src/formula.ts')],
    },
    { calls: [{ tool: 'execute_command', input: { command: 'cat .env' } }, read('.gitignore')] },
    submit([
      {
        ...{ severity: 'major', file: 'src/formula.ts', line: 2 },
        ...{ description: 'Nothing says what a formula may hold', suggestion: 'Say it' },
      },
    ]),
  ]);
  const { status, stderr } = await session(...start);
  expect([status, stderr]).toEqual([21, stderr]);
  const { findings, strategy, conclusion } = await reportOfModel();
  expect(conclusion).toBe('changes_required');
  expect(strategy).toContain('; with the model claude-test');
  expect(findings).toContainEqual(
    expect.objectContaining({
      ...{ rule: 'llm/documentation', file: 'src/formula.ts', line: 2, severity: 'major' },
      reviewers: ['task-reviewer_documentation'],
    }),
  );
  const heard = model.heard.map(({ body }) => body).join('\n');
  expect(heard).toContain('There is no diff: judge the files as they stand');
  expect(heard).toContain('The plan of the task:');
  expect(heard).not.toContain('SECRET_OF_MINE');
  expect(heard).toContain('E_OUTSIDE_WORKSPACE');
  expect(heard).toContain('run no commands');
  expect(model.heard.every(({ headers }) => headers['x-api-key'] === 'sk-only-for-the-provider')).toBe(true);
});

it('asks for no more than the budget, and waits for a person then', async () => {
  model = await ModelDesk.open([{ calls: [read('src/formula.ts')] }, submit([])]);
  const poor = await session(...start, '--budget', '0.000001');
  expect(poor.status).toBe(2);
  expect(poor.stderr).toMatch(
    /left of the budget of \$0\.000001; raise it with --budget[^]*session continue 3/,
  );
  expect(model.heard).toEqual([]);
  const rich = await session('continue', '3', '--budget', '50');
  expect([rich.status, rich.stderr]).toEqual([0, rich.stderr]);
  expect((await reportOfModel()).strengths).toContain('claude-test: I read the formula.');
});
