import { describe, expect, it } from 'vitest';
import { parsePlan, planJsonSchema } from '@switchyard/plan';

const parse = (text: string) => parsePlan(text, { file: 'p.yaml' });
const graphOf = (text: string): Record<string, readonly string[]> => {
  const { plan, problems } = parse(text);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return Object.fromEntries(plan?.tasks.map(({ id, dependsOn }) => [id, dependsOn]) ?? []);
};

const steps = `
    steps:
      - id: define
        instructions: Write down what changes in {{item.table}}
        workspace: docs/{{item}}
        executor: { run: 'echo {{ item.table }} > docs/{{item}}/change.md' }
      - { id: implement, workspace: 'db/{{item}}', executor: { run: ./make.sh } }
      - { id: deploy, kind: manual, instructions: 'Run db/{{item}}/up.sql', gate: { onReject: send-back } }
      - { id: verify, kind: verify, acceptance: { run: './verify.sh {{item.table}}' } }
`;

describe('a pipeline', () => {
  it('becomes the steps of each item, one after the other, with what the item has', () => {
    const text = `tasks: [{ id: base, workspace: base, executor: { run: a } }]
pipelines:
  - id: change
    items: [{ name: users, table: app.users }, { name: orders, table: app.orders }]
    dependsOn: base${steps}`;
    expect(graphOf(text)).toEqual({
      base: [],
      'change/users/define': ['base'],
      'change/users/implement': ['change/users/define'],
      'change/users/deploy': ['change/users/implement'],
      'change/users/verify': ['change/users/deploy'],
      'change/orders/define': ['base'],
      'change/orders/implement': ['change/orders/define'],
      'change/orders/deploy': ['change/orders/implement'],
      'change/orders/verify': ['change/orders/deploy'],
    });
    const { plan, pipelines } = parse(text);
    expect(plan?.tasks[1]).toMatchObject({
      instructions: 'Write down what changes in app.users',
      workspace: ['docs/users'],
      executor: { kind: 'command', run: ['echo app.users > docs/users/change.md'] },
    });
    expect(plan?.tasks[7]).toMatchObject({ kind: 'manual', gate: { onReject: 'send-back' } });
    expect(pipelines).toEqual([
      {
        ...{ id: 'change', order: 'parallel', items: ['users', 'orders'] },
        steps: ['define', 'implement', 'deploy', 'verify'],
      },
    ]);
  });

  it('asks for the same value at the gate of each item, but for none twice otherwise', () => {
    const gate = (inputs: string): string => `{ id: b, kind: manual, gate: { inputs: ${inputs} } }`;
    const asking = (inputs: string): string =>
      `pipelines: [{ id: p, items: [one, two], steps: [{ id: a, workspace: 'x/{{item}}', executor: { run: a } }, ${gate(inputs)}] }]`;
    const { plan } = parse(asking('[version]'));
    expect(plan?.tasks.flatMap(({ gate: own }) => own?.inputs?.map(({ name }) => name) ?? [])).toEqual([
      'version',
      'version',
    ]);
    expect(parse(asking('[version, version]')).problems.map(({ code }) => code)).toContain(
      'PLAN_GATE_INPUT_TWICE',
    );
    const other = parse(`${asking('[version]')}\ntasks: [${gate('[version]')}]\n`);
    expect(other.problems.map(({ code }) => code)).toContain('PLAN_GATE_INPUT_TWICE');
  });

  it('goes item by item where it is sequential, and where an item says what it comes after', () => {
    const short =
      "steps: [{ id: a, workspace: 'x/{{item}}', executor: { run: a } }, { id: b, kind: manual }]";
    expect(graphOf(`pipelines: [{ id: p, items: [one, two, three], order: sequential, ${short} }]`)).toEqual({
      'p/one/a': [],
      'p/one/b': ['p/one/a'],
      'p/two/a': ['p/one/b'],
      'p/two/b': ['p/two/a'],
      'p/three/a': ['p/two/b'],
      'p/three/b': ['p/three/a'],
    });
    const graph = graphOf(`pipelines: [{ id: p, items: [one, { name: two, after: one }, 3], ${short} }]`);
    expect(graph).toMatchObject({ 'p/one/a': [], 'p/two/a': ['p/one/b'], 'p/3/a': [] });
  });

  it('has steps side by side where they say so, and can be depended on, whole or by item', () => {
    const graph = graphOf(`
pipelines:
  - id: p
    items: [x, y]
    steps:
      - { id: a, workspace: 'a/{{item}}', executor: { run: a } }
      - { id: b, workspace: 'b/{{item}}', dependsOn: [], executor: { run: a } }
      - { id: c, kind: verify, dependsOn: a, acceptance: { run: a } }
tasks:
  - { id: after all, kind: manual, dependsOn: p }
  - { id: after x, kind: manual, dependsOn: [p/x, p/y/a] }
`);
    expect(graph).toMatchObject({
      'p/x/a': [],
      'p/x/b': [],
      'p/x/c': ['p/x/a'],
      'after all': ['p/x/b', 'p/x/c', 'p/y/b', 'p/y/c'],
      'after x': ['p/x/b', 'p/x/c', 'p/y/a'],
    });
  });

  it('leaves texts of other templates alone, and takes the older names of keys', () => {
    const { plan } = parse(`pipelines:
  - id: p
    items: x
    steps: [{ taskId: a, workspacePath: w, executor: { run: "docker ps --format '{{.Names}}'" } }]`);
    expect(plan?.tasks[0]).toMatchObject({ id: 'p/x/a', workspace: ['w'] });
    expect(plan?.tasks[0]?.executor).toMatchObject({ run: ["docker ps --format '{{.Names}}'"] });
  });
});

describe('faults of a pipeline', () => {
  const faults = (text: string): string[] =>
    parse(text).problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);

  it('are told at their place in the template', () => {
    expect(
      faults(`pipelines:
  - id: p
    items: [x, x, { name: y, after: z }]
    steps:
      - id: a
        workspace: 'w/{{itme}}'
        executor: { run: a }
`),
    ).toEqual([
      '3:16 PLAN_PIPELINE_ITEM_TWICE Item x is there twice',
      '3:37 PLAN_PIPELINE_ITEM_UNKNOWN Item y comes after z, which is no item of this pipeline',
      '6:20 PLAN_PIPELINE_PLACEHOLDER {{itme}} is nothing that item x of pipeline p has',
      '6:20 PLAN_PIPELINE_PLACEHOLDER {{itme}} is nothing that item y of pipeline p has',
      '6:20 PLAN_OVERLAP Tasks p/x/a and p/y/a can run at the same time, and both write w/{{itme}}',
    ]);
  });

  it('of its shape are told once, and not that tasks are missing', () => {
    expect(faults('pipelines:\n  - id: p\n    items: [x]\n    stesp: []\n')).toEqual([
      expect.stringMatching(/^2:5 PLAN_MISSING .*steps/),
      expect.stringMatching(/^4:5 PLAN_UNKNOWN_KEY .*stesp/),
    ]);
  });

  it('of the whole graph are told for the steps they arise from', () => {
    const found = faults(`pipelines:
  - id: p
    items: [x, y]
    steps:
      - { id: a, workspace: same, executor: { run: a } }
      - { id: b, kind: manual, dependsOn: nowhere }
`);
    expect(found).toContainEqual(expect.stringMatching(/^5:.*p\/x\/a.*p\/y\/a|^5:.*p\/y\/a.*p\/x\/a/));
    expect(found).toContainEqual(
      expect.stringMatching(/^6:43 .*p\/x\/b depends on non-existent task nowhere/),
    );
    expect(
      faults(`pipelines: [{ id: p, items: [x], steps: [{ id: a, kind: manual }, { id: a, kind: manual }] }]`),
    ).toEqual(expect.arrayContaining([expect.stringContaining('p/x/a')]));
  });

  it('that would make too many tasks are told before they are made', () => {
    const items = Array.from({ length: 1000 }, (_, place) => `i${place}`).join(', ');
    const many = Array.from({ length: 11 }, (_, place) => `{ id: s${place}, kind: manual }`).join(', ');
    expect(faults(`pipelines: [{ id: p, items: [${items}], steps: [${many}] }]`)).toEqual([
      expect.stringContaining('PLAN_PIPELINE_TOO_LARGE The pipelines come to 11000 tasks'),
    ]);
  });
});

it('is in the JSON Schema, steps with the keys and older names of tasks', () => {
  expect(planJsonSchema()).toMatchObject({
    properties: {
      pipelines: {
        items: { properties: { steps: { items: { properties: { dependencies: { deprecated: true } } } } } },
      },
    },
  });
});
