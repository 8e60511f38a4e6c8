import { parsePlan } from '@switchyard/plan';
import { limits } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';

const parsed = (text: string) =>
  parsePlan(text, { file: 'dir/my plan.yaml', executors: ['command', 'acp', 'cli', 'llm'] });
const planOf = (text: string) => {
  const { plan, problems } = parsed(text);
  expect(problems).toEqual([]);
  return plan;
};
const onlyTask = (text: string) => planOf(`tasks:\n  - ${text}`)?.tasks[0];

it('tells the choices of a value that may be one or a list, and nothing of what zod makes of its length', () => {
  const text = 'tasks: [{ id: b, workspace: b, executor: { run: make }, reviewerSpecialization: frontends }]';
  expect(parsePlan(text, { file: 'p.yaml' }).problems).toMatchObject([
    {
      code: 'PLAN_TYPE',
      message:
        '"review.specializations" of task b must be code-quality, testing, security, performance, integration, documentation or style or a list, not the text "frontends"',
    },
  ]);
});

describe('the defaults', () => {
  it('are filled in for the shortest plan', () => {
    expect(planOf('tasks: [{ id: A, workspace: a, executor: { run: make } }]')).toEqual({
      version: 1,
      name: 'my-plan',
      strategy: 'auto',
      limits: { workers: 5, rpm: 3800 },
      retryPolicy: {},
      scratch: [],
      include: [],
      verify: { run: [], when: 'batch', timeoutMs: 1_200_000 },
      tasks: [
        {
          id: 'A',
          kind: 'implement',
          instructions: '',
          workspace: ['a'],
          reads: 'all',
          dependsOn: [],
          requires: [],
          estimate: {},
          executor: { kind: 'command', run: ['make'] },
          acceptance: [],
          review: {
            mode: 'required',
            specializations: [],
            rounds: 3,
            timeoutMs: limits.reviewTimeoutMs,
            onTimeout: 'escalate',
          },
          mcpServers: [],
          onFailure: 'skip-dependents',
          timeoutMs: 1_200_000,
          retries: 2,
          resume: 'clean',
        },
      ],
    });
  });

  it('warn of a review that would approve nothing, and of no other', () => {
    const tasks = `tasks:
  - { id: A, workspace: src, executor: { run: ./build.sh } }
  - { id: B, kind: review, dependsOn: C }
  - { id: C, kind: manual, dependsOn: A }
  - { id: D, kind: review, reads: [src, lib/a.ts] }
  - { id: E, kind: review }
  - { id: F, kind: review, dependsOn: E }
`;
    const { plan, problems } = parsePlan(tasks, { file: 'p.yaml' });
    expect(problems.map(({ code, severity, line, message }) => [code, severity, line, message])).toEqual(
      ['E', 'F'].map((id, at) => [
        'PLAN_REVIEW_OF_NOTHING',
        'warning',
        6 + at,
        `Task ${id} reviews what the run has changed, but nothing before it changes anything`,
      ]),
    );
    expect(plan?.tasks.map(({ reads }) => reads)).toEqual([
      'all',
      'all',
      'all',
      ['src', 'lib/a.ts'],
      'all',
      'all',
    ]);
  });

  it('does not verify by the commands that do the work, where a task says how it is verified', () => {
    const work = 'defaults: { executor: { run: ./build.sh } }\ntasks:\n  - { id: A, workspace: src }\n';
    const plan = planOf(
      `${work}  - { id: V, kind: verify, acceptance: { run: make test } }\n  - { id: W, kind: verify, acceptance: it works }\n  - { id: X, kind: verify, executor: { run: ./x.sh }, acceptance: { run: make test } }\n`,
    );
    expect(plan?.tasks.map(({ executor }) => executor)).toEqual([
      { kind: 'command', run: ['./build.sh'] },
      { kind: 'command', run: [] },
      { kind: 'command', run: ['./build.sh'] },
      { kind: 'command', run: ['./x.sh'] },
    ]);
  });

  it('never ask for a review of verify and manual tasks, whatever `defaults` says', () => {
    const plan = planOf(
      'defaults: { review: required }\ntasks: [{ id: V, kind: verify, acceptance: { run: make test } }, { id: M, kind: manual }]',
    );
    expect(plan?.tasks.map((task) => task.review.mode)).toEqual(['never', 'never']);
  });

  it('of a gate: a day, a quarter of an hour for one that only tells; short forms of what it asks for', () => {
    const plan = planOf(`
tasks:
  - { id: M, kind: manual, gate: { inputs: version } }
  - { id: N, kind: manual, gate: { mode: notify, inputs: [{ name: ring, text: Which?, choices: [one, all], default: one }] } }
  - { id: O, kind: manual, gate: { waitMinutes: 5 } }
  - { id: P, kind: manual }
`);
    expect(plan?.tasks.map((task) => task.gate)).toEqual([
      { mode: 'approve', waitMs: 86_400_000, inputs: [{ name: 'version', text: '', choices: [] }] },
      {
        mode: 'notify',
        waitMs: 900_000,
        inputs: [{ name: 'ring', text: 'Which?', choices: ['one', 'all'], default: 'one' }],
      },
      { mode: 'approve', waitMs: 300_000, inputs: [] },
      undefined,
    ]);
  });

  it('of the file lend tasks what they leave out, field by field', () => {
    const plan = planOf(`
defaults: { executor: { run: [make] }, timeoutMinutes: 0.5, retries: 0, resume: wip, review: { rounds: 5, specializations: style } }
tasks:
  - { id: A, workspace: a }
  - { id: B, workspace: b, retries: 7, resume: clean, review: { specializations: [reviewer-security], quorum: 1 } }
  - { id: C, workspace: c, executor: { kind: acp, agent: claude-code }, review: never }
`);
    expect(plan?.tasks.map((task) => [task.executor, task.timeoutMs, task.retries, task.resume])).toEqual([
      [{ kind: 'command', run: ['make'] }, 30_000, 0, 'wip'],
      [{ kind: 'command', run: ['make'] }, 30_000, 7, 'clean'],
      [{ kind: 'acp', agent: 'claude-code' }, 30_000, 0, 'wip'],
    ]);
    expect(plan?.tasks.map(({ review }) => [review.mode, review.rounds, review.specializations])).toEqual([
      ['required', 5, ['style']],
      ['required', 5, ['security']],
      ['never', 5, ['style']],
    ]);
    expect(plan?.tasks.map(({ review }) => review.quorum)).toEqual([undefined, 1, undefined]);
  });
});

describe('agents', () => {
  const agents = { acp: ['claude-code', 'gemini'], cli: ['codex'] };
  const problemsOf = (executor: string, options: object = { agents }) =>
    parsePlan(`tasks: [{ id: A, workspace: a, executor: ${executor} }]`, { file: 'p.yaml', ...options })
      .problems;

  it('come with a model and a session mode', () => {
    const executors = [
      '{ kind: acp, agent: gemini, model: m, mode: yolo }',
      '{ kind: cli, agent: codex, model: m }',
    ];
    expect(
      executors.map((executor) => onlyTask(`{ id: A, workspace: a, executor: ${executor} }`)?.executor),
    ).toEqual([
      { kind: 'acp', agent: 'gemini', model: 'm', mode: 'yolo' },
      { kind: 'cli', agent: 'codex', model: 'm' },
    ]);
  });

  it.each([
    ['{ kind: cli, agent: codex, mode: worker }', 'chooses the mode worker, which cannot be chosen by hand'],
    ['{ kind: acp, agent: gemini, mode: worker }', 'chooses the mode worker, which cannot be chosen by hand'],
    ['{ model: m, mode: worker }', 'chooses the mode worker, which cannot be chosen by hand'],
    ['{ kind: cli, agent: codex, mode: orchestrator }', 'is to change files in the mode orchestrator'],
    ['{ model: m, mode: reviewer }', 'is to change files in the mode reviewer,'],
    [
      '{ kind: cli, agent: codex, mode: reviewer-security }',
      'is to change files in the mode reviewer-security',
    ],
  ])('in a mode that would refuse their work are told: %s', (executor, words) => {
    const [problem, ...others] = problemsOf(executor);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'PLAN_MODE', severity: 'error' });
    expect(problem?.message).toContain(words);
    if (!words.includes('worker')) expect(problemsOf(`${executor}, kind: verify`)).toEqual([]);
  });

  it('that nobody knows are told with those there are, at their place', () => {
    expect(problemsOf('{ kind: cli, agent: claude }')).toMatchObject([
      {
        code: 'PLAN_AGENT_UNKNOWN',
        column: 62,
        message: 'Task A names the agent "claude", which is not known for an executor of kind cli',
        fix: 'use one of: codex; or describe it in the file that SWITCHYARD_AGENTS names',
      },
    ]);
    expect(problemsOf('{ kind: acp, agent: codex }')).toMatchObject([{ code: 'PLAN_AGENT_UNKNOWN' }]);
    expect(problemsOf('{ kind: acp, agent: gemini }')).toEqual([]);
  });

  it('get MCP servers of the catalogue only, by `defaults` too', () => {
    const task = '{ id: A, workspace: a, executor: { kind: cli, agent: codex }';
    const problemsWith = (text: string) =>
      parsePlan(text, { file: 'p.yaml', mcpServers: ['github'] }).problems.map(({ code, message }) => [
        code,
        message,
      ]);
    expect(problemsWith(`tasks: [${task}, mcpServers: [github, jira] }]`)).toEqual([
      ['PLAN_MCP_SERVER_UNKNOWN', 'Task A names the MCP server "jira", which is not in the catalogue'],
    ]);
    expect(problemsWith(`defaults: { mcpServers: [jira] }\ntasks: [${task} }]`)).toHaveLength(1);
    expect(problemsWith(`tasks: [${task}, mcpServers: [github] }]`)).toEqual([]);
  });

  it('get none where a command carries the task out, and it is said', () => {
    const command = '{ id: A, workspace: a, executor: { run: make }';
    const problemsWith = (text: string) =>
      parsePlan(text, { file: 'p.yaml', mcpServers: ['github'] }).problems;
    expect(problemsWith(`tasks: [${command}, mcpServers: [github] }]`)).toMatchObject([
      { code: 'PLAN_MCP_UNUSED', severity: 'warning', line: 1, column: 69 },
    ]);
    expect(problemsWith(`tasks: [${command}, mcpServers: [] }]`)).toEqual([]);
    expect(problemsWith(`defaults: { mcpServers: [github] }\ntasks: [${command} }]`)).toEqual([]);
  });

  it('are not looked at where nobody says which there are; one has to be named', () => {
    expect(problemsOf('{ kind: cli, agent: claude }', {})).toEqual([]);
    expect(problemsOf('{ kind: cli }')).toMatchObject([{ code: 'PLAN_EXECUTOR_INCOMPLETE' }]);
  });
});

describe('aliases of older tools', () => {
  it('load as if written today', () => {
    expect(
      onlyTask(
        '{ taskId: A, dependencies: [], workspacePath: ./src/, systemPrompt: Do it, estimatedRPM: 12, requiresReview: true, reviewerSpecialization: reviewer-security, acceptanceCriteria: [works, { run: make test }], executor: { run: make } }',
      ),
    ).toMatchObject({
      id: 'A',
      dependsOn: [],
      workspace: ['src'],
      instructions: 'Do it',
      estimate: { rpm: 12 },
      review: { mode: 'required', specializations: ['security'] },
      acceptance: [
        { kind: 'text', text: 'works' },
        { kind: 'run', run: 'make test' },
      ],
    });
  });

  it.each([
    ['reviewRequired: false', 'never'],
    ['reviewRequired: true', 'required'],
    ['requiresReview: false, reviewSpecialization: security', 'never'],
    ['review: false', 'never'],
    ['review: optional', 'optional'],
    ['review: { specializations: [style] }', 'required'],
  ])('%s means mode %s', (written, mode) => {
    expect(onlyTask(`{ id: A, workspace: a, executor: { run: make }, ${written} }`)?.review.mode).toBe(mode);
  });
});

describe('what is written', () => {
  it('is text where text is meant, whatever it looks like', () => {
    const plan = planOf(
      'name: 2024\nbase: 1.10\ntasks: [{ id: 001, workspace: 7, executor: { run: true } }, { id: 2, dependsOn: 001, workspace: a, executor: { run: make } }]',
    );
    expect([plan?.name, plan?.base]).toEqual(['2024', '1.10']);
    expect(plan?.tasks.map((task) => [task.id, task.workspace, task.dependsOn, task.executor])).toEqual([
      ['001', ['7'], [], { kind: 'command', run: ['true'] }],
      ['2', ['a'], ['001'], { kind: 'command', run: ['make'] }],
    ]);
  });

  it('may use anchors and merges', () => {
    const plan = planOf(
      'tasks:\n  - &first { id: A, workspace: a, executor: &run { run: make } }\n  - { <<: *first, id: B, workspace: b, retries: 4 }\n  - { id: C, workspace: c, executor: *run }',
    );
    expect(plan?.tasks.map((task) => [task.id, task.executor])).toEqual(
      ['A', 'B', 'C'].map((id) => [id, { kind: 'command', run: ['make'] }]),
    );
  });

  it('may be JSON, start with a byte order mark, and end lines the Windows way', () => {
    expect(
      planOf('\uFEFF{"tasks": [\r\n{"id": "A", "workspace": "a", "executor": {"run": "make"}}]}')?.tasks,
    ).toHaveLength(1);
  });

  it('has short forms for setup, verify and paths', () => {
    const plan = planOf(
      'setup: npm ci\nverify: [npm test]\nscratch: "**/dist"\ninclude: ./.env\ntasks: [{ id: A, workspace: [a/../b/, b], executor: { run: make }, timeoutMinutes: 1 }]',
    );
    expect(plan).toMatchObject({
      setup: { run: ['npm ci'], network: [] },
      verify: { run: ['npm test'], when: 'batch' },
      scratch: ['**/dist'],
      include: ['.env'],
      tasks: [{ workspace: ['b'], timeoutMs: 60_000 }],
    });
  });

  it('may hold names of Object without harm', () => {
    const { problems } = parsed(
      '__proto__: { x: 1 }\ntasks: [{ id: __proto__, workspace: constructor, dependsOn: toString, executor: { run: make } }]',
    );
    expect(problems.map((problem) => problem.code)).toEqual(
      expect.arrayContaining(['PLAN_UNKNOWN_DEPENDENCY']),
    );
  });
});

describe('size', () => {
  const many = (count: number, dependsOn: (at: number) => string) =>
    `tasks:\n${Array.from({ length: count }, (_, at) => `  - { id: t${at}, workspace: src/p${at % 97}/m${at}, dependsOn: [${dependsOn(at)}], executor: { run: make } }\n`).join('')}`;

  it('of 5,000 tasks is read and checked', () => {
    const { plan, problems } = parsed(
      many(5000, (at) =>
        [at - 1, at >> 1]
          .filter((to) => to >= 0 && to < at)
          .map((to) => `t${to}`)
          .join(),
      ),
    );
    expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    expect(plan?.tasks).toHaveLength(5000);
  });

  it('of 5,000 tasks that all clash is told in at most 201 problems', () => {
    const { problems } = parsed(many(5000, () => '').replaceAll(/workspace: \S+/g, 'workspace: src,'));
    expect(problems.length).toBe(201);
    expect(problems.at(-1)?.code).toBe('PLAN_MORE_PROBLEMS');
  });

  it('of 5,000 tasks with misspelt dependencies is told', () => {
    const { problems } = parsed(many(5000, (at) => `task${at}`));
    expect(problems.length).toBe(201);
  });

  it.each([
    ['10 MB', 'x'.repeat(10_000_000)],
    ['just over, in characters of several bytes', '# ä'.repeat(limits.planFileBytes / 4 + 1)],
  ])('of %s is refused at once', (_, text) => {
    expect(parsed(text).problems.map((problem) => problem.code)).toEqual(['PLAN_TOO_LARGE']);
  });

  it('over the number of tasks is refused', () => {
    expect(parsed(many(limits.planTasks + 1, () => '')).problems).toMatchObject([
      { code: 'PLAN_TOO_LARGE', line: 2 },
    ]);
  });

  it('in depth is refused', () => {
    // Beyond what the parser's stack takes, too: one problem, in our words.
    expect(parsed(`tasks: ${'['.repeat(200_000)}`).problems).toMatchObject([
      { code: 'PLAN_SYNTAX', line: 1, message: expect.stringMatching(/^Nested more than/) as string },
    ]);
    expect(parsed(`tasks: ${'['.repeat(100)}${']'.repeat(100)}`).problems).toMatchObject([
      { code: 'PLAN_SYNTAX' },
    ]);
  });
});
