import {
  analyzePlan,
  checkAddedTasks,
  formatProblem,
  parsePlan,
  planJsonSchema,
  toDot,
  toMermaid,
} from '@switchyard/plan';
import type { Plan, PlanTask } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';

const planOf = (text: string): Plan => {
  const { plan, problems } = parsePlan(text, { file: 'p.yaml', executors: ['command', 'llm', 'cli'] });
  if (plan === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return plan;
};
const tasksOf = (count: number, more: (at: number) => string, head = '') =>
  planOf(
    `${head}\ntasks:\n${Array.from({ length: count }, (_, at) => `  - { id: t${at}, workspace: w${at}, ${more(at)} }\n`).join('')}`,
  );
const command = 'executor: { run: make }';
const chain = (at: number) => (at === 0 ? '' : `, dependsOn: t${at - 1}`);

const diamond = `
tasks:
  - { id: top, workspace: a, ${command}, estimate: { minutes: 2 } }
  - { id: "left", workspace: b, ${command}, dependsOn: top, estimate: { minutes: 10 } }
  - { id: 'the "right"', workspace: c, ${command}, dependsOn: top, kind: implement }
  - { id: gate, kind: manual, dependsOn: [left, 'the "right"'], estimate: { minutes: 0 } }
`;

describe('the analysis', () => {
  it('tells the ready set and the critical path', () => {
    expect(analyzePlan(planOf(diamond))).toMatchObject({
      ready: ['top'],
      criticalPath: ['top', 'left', 'gate'],
      criticalPathMinutes: 12,
      chainLength: 3,
      width: 2,
      expectedRpm: 0,
    });
  });

  it.each<[string, Plan, string, string]>([
    [
      'few tasks',
      tasksOf(5, () => command),
      'max-parallel',
      'their dependencies let at most 5 run at once, not over 5',
    ],
    [
      'a long chain',
      tasksOf(4, (at) => command + chain(at)),
      'critical-path',
      'the longest chain has 4 tasks, over 3',
    ],
    [
      'a chain of three',
      tasksOf(3, (at) => command + chain(at)),
      'max-parallel',
      'their dependencies let at most 1 run at once, not over 5',
    ],
    [
      'many at once',
      tasksOf(30, () => command, 'limits: { workers: 21 }'),
      'rate-aware',
      '21 tasks can run at once, over 20',
    ],
    [
      'many, few workers',
      tasksOf(30, () => command),
      'max-parallel',
      '30 tasks are independent of each other in chains of at most 1: their order matters little',
    ],
    [
      'many requests',
      tasksOf(6, () => `${command}, estimate: { rpm: 1000 }`),
      'rate-aware',
      'about 5000 requests a minute are expected, over 3000',
    ],
    [
      'requests of models',
      tasksOf(201, () => 'executor: { model: m }', 'limits: { workers: 201 }'),
      'rate-aware',
      'about 3015 requests a minute are expected, over 3000',
    ],
    [
      'its own wish',
      tasksOf(30, () => command, 'strategy: critical-path'),
      'critical-path',
      'the plan asks for it',
    ],
  ])('chooses for %s', (_, plan, chosen, reason) => {
    expect(analyzePlan(plan).strategy).toEqual({ asked: plan.strategy, chosen, reason });
  });
});

describe('tasks added to a running plan', () => {
  const plan = planOf(diamond);
  const added = (text: string) =>
    checkAddedTasks(plan, planOf(`tasks:\n${text}`).tasks).map(
      (problem) => `${problem.line} ${problem.severity} ${problem.code} ${problem.message}`,
    );

  it('may wait for a task that writes the same place', () => {
    expect(added(`  - { id: new, workspace: b/c, ${command} }`)).toEqual([
      '1 warning PLAN_OVERLAP Tasks left and new can run at the same time, and b/c of new lies inside b of left',
    ]);
  });

  it('names agents and MCP servers that nobody knows', () => {
    const [first] = planOf(`tasks:
  - { id: new, instructions: x, workspace: new, executor: { kind: cli, agent: nobody }, mcpServers: [none, some] }`).tasks;
    if (first === undefined) throw new Error('there is one');
    const names = { agents: { cli: ['codex'], acp: [] }, mcpServers: ['some'] };
    const codes = (tasks: readonly PlanTask[], known: object) =>
      checkAddedTasks(plan, tasks, known).map(({ code }) => code);
    expect(codes([first], names)).toEqual(['PLAN_MCP_SERVER_UNKNOWN', 'PLAN_AGENT_UNKNOWN']);
    expect(codes([first], {})).toEqual([]);
    const known = { ...first, executor: { kind: 'cli', agent: 'codex' } as const, mcpServers: ['some'] };
    expect(codes([known], names)).toEqual([]);
  });

  it('are refused for what is wrong with the grown graph', () => {
    const [task] = planOf(`tasks: [{ id: x, workspace: x, ${command} }]`).tasks;
    if (task === undefined) throw new Error('no task');
    const at = (id: string, dependsOn: string[], workspace = ['n/m']) => ({
      ...task,
      id: id as typeof task.id,
      dependsOn: dependsOn as typeof task.dependsOn,
      workspace,
    });
    const found = checkAddedTasks(plan, [
      at('gate', []),
      at('p', ['q', 'lefft'], ['p']),
      at('q', ['p'], ['q']),
      at('r', [], ['n']),
      at('s', [], ['../n']),
      at('two\nlines', [], ['t']),
    ]);
    expect(found.map((problem) => `${problem.line} ${problem.code} ${problem.fix}`)).toEqual([
      '1 PLAN_DUPLICATE_ID give each task an id of its own',
      '2 PLAN_UNKNOWN_DEPENDENCY did you mean left?',
      '2 PLAN_CYCLE remove one of these dependencies; each arrow reads "depends on"',
      '5 PLAN_PATH_OUTSIDE a path may not go above the root of the repository with ".."',
      '6 PLAN_VALUE an id is one line of text',
    ]);
  });
});

describe('a file of tasks to add', () => {
  it('may depend on tasks of the running plan', () => {
    const text = `tasks: [{ id: new, workspace: n, dependsOn: gate, ${command} }, { id: top, workspace: m, ${command} }]`;
    const { plan, problems } = parsePlan(text, { file: 'more.yaml', addTo: planOf(diamond) });
    expect(plan).toBeUndefined();
    expect(problems.map(formatProblem)).toEqual([
      'more.yaml:1:84: error PLAN_DUPLICATE_ID: Task id top is used twice; the first is in the running plan\n  fix: give each task an id of its own',
    ]);
  });
});

describe('drawings', () => {
  it('are Mermaid text with states and escaped names', () => {
    expect(toMermaid(planOf(diamond), new Map([['top', 'completed']]))).toBe(
      [
        'flowchart LR',
        '  t0["top"]:::good',
        '  t1["left"]:::idle',
        '  t2["the #34;right#34;"]:::idle',
        '  t3{"gate"}:::idle',
        '  t0 --> t1',
        '  t0 --> t2',
        '  t1 --> t3',
        '  t2 --> t3',
        '  classDef good fill:#dcfce7,stroke:#15803d,color:#14532d',
        '  classDef idle fill:#f3f4f6,stroke:#6b7280,color:#111827',
        '',
      ].join('\n'),
    );
  });

  it('are DOT with states and escaped names', () => {
    const dot = toDot(planOf(diamond), new Map([['left', 'failed']]));
    expect(dot).toContain('digraph "p" {');
    expect(dot).toContain('t1 [label="left", shape=box, fillcolor="#fee2e2"');
    expect(dot).toContain('t2 [label="the \\"right\\"", shape=box');
    expect(dot).toContain('  t2 -> t3;\n}');
  });
});

describe('the JSON Schema', () => {
  const schema = planJsonSchema() as {
    properties: {
      tasks: {
        items: { properties: Record<string, { description?: string; deprecated?: boolean }>; allOf: unknown };
      };
    };
  };

  it('has every alias, marked as such', () => {
    const { properties, allOf } = schema.properties.tasks.items;
    expect(properties['dependencies']).toMatchObject({
      deprecated: true,
      description: 'Alias of dependsOn.',
    });
    expect(properties['estimatedRPM']).toMatchObject({
      deprecated: true,
      description: 'Alias of estimate.rpm.',
      type: 'number',
    });
    expect(properties['reviewRequired']).toMatchObject({
      type: 'boolean',
      description: 'Alias of review.mode.',
    });
    expect(properties['reviewerSpecialization']?.description).toBe('Alias of review.specializations.');
    expect(allOf).toEqual([{ anyOf: [{ required: ['id'] }, { required: ['taskId'] }] }]);
  });

  it('forbids unknown keys and is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema).toMatchObject({
      additionalProperties: false,
      anyOf: [{ required: ['tasks'] }, { required: ['pipelines'] }],
      properties: { tasks: { items: { additionalProperties: false } } },
    });
  });
});
