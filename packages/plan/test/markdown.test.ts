import { readFileSync } from 'node:fs';
import {
  boxesToTick,
  documentsNamed,
  formatProblem,
  importPlan,
  parsePlan,
  type ParseOptions,
} from '@switchyard/plan';
import { limits, type PlanTask } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const fixture = (name: string): string =>
  readFileSync(new URL(`fixtures/markdown/${name}`, import.meta.url), 'utf8');
const read = (text: string, more: Partial<ParseOptions> = {}) =>
  parsePlan(text, { file: 'plan.md', ...more });
const campaign = fixture('campaign.md');
const workflow = fixture('workflow.md');
const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

describe('ticks', () => {
  const tick = (text: string, completed: readonly string[]): string =>
    boxesToTick(text, (id) => completed.includes(id)).reduceRight(
      (rest, { mark }) => `${rest.slice(0, mark)}x${rest.slice(mark + 1)}`,
      text,
    );

  it('stand in the list of progress for what is completed, and nothing else changes', () => {
    expect(tick(campaign, ['Solver Review', 'Web Client', 'Handbook'])).toBe(
      campaign
        .replace('- [ ] Solver Review', '- [x] Solver Review')
        .replace('- [ ] Web Client', '- [x] Web Client'),
    );
    expect(boxesToTick(campaign, () => false)).toEqual([]);
  });

  it('are the same with CRLF, a byte-order mark and signs of several bytes before them', () => {
    const strange = `\uFEFF${campaign.replaceAll('\n', '\r\n').replace('# ', '# 𝒫 ü ')}`;
    expect(tick(strange, ['Solver Review'])).toBe(strange.replace('[ ] Solver', '[x] Solver'));
  });

  it('wait until all is done that a box stands for: also the gate and the verification behind a task', () => {
    const open = workflow.replace('- [ ] The ladder', '- [x] The ladder');
    const gated = `${open}\n## Progress\n\n- [ ] A0.1\n`;
    const tasks = read(gated).plan?.tasks.map(({ id }) => id) ?? [];
    const mine = tasks.filter((id) => id.startsWith('A0.1'));
    expect(mine.length).toBeGreaterThan(1);
    expect(tick(gated, mine.slice(0, -1))).toBe(gated);
    expect(tick(gated, mine)).toBe(gated.replace('- [ ] A0.1', '- [x] A0.1'));
  });
});

describe('a campaign of reviews', () => {
  const { plan, problems, done } = read(campaign);
  const task = (id: string): PlanTask | undefined => plan?.tasks.find((each) => each.id === id);

  it('is told everything in which it contradicts itself, with the line', () => {
    expect(problems.map((problem) => `${formatProblem(problem)}\n`).join('')).toBe(fixture('campaign.txt'));
  });
  it('resolves short names, groups, documents and phases; the table wins over the phases', () => {
    expect(plan?.tasks.map(({ id, dependsOn }) => [id, ...dependsOn])).toEqual([
      ['Solver Review'],
      ['Cache Review', 'Solver Review', 'Printer'],
      ['Web Client'],
      ['Phone Client', 'Web Client'],
      ['Handbook', 'Solver Review', 'Web Client', 'Phone Client', 'Printer'],
      ['Printer', 'Solver Review'],
      ['Overall success', 'Cache Review', 'Handbook'],
    ]);
  });
  it('does not run what lies among the done documents or has a ticked box', () => {
    expect(done).toEqual([
      {
        id: 'Lexer Review',
        line: lineOf(campaign, '| Lexer Review'),
        why: 'its document is reviews/done/2-review-engine-lexer.md',
      },
      { id: 'Gateway Review', line: lineOf(campaign, '- [x] Gateway'), why: 'its box is ticked' },
    ]);
  });
  it('makes reviews of rows about reviews, deeper where the risk is high, with hours and criteria', () => {
    expect(plan?.tasks.every(({ kind }) => kind === 'review')).toBe(true);
    expect(task('Solver Review')).toMatchObject({
      estimate: { minutes: 180 },
      review: { rounds: 5, specializations: ['code-quality', 'testing', 'performance', 'security'] },
      acceptance: [
        { kind: 'text', text: 'Every file looked at' },
        { kind: 'text', text: 'Nothing critical is open' },
      ],
    });
    expect(task('Solver Review')?.instructions).toContain('may loop for ever (high risk');
    expect(task('Web Client')).toMatchObject({ estimate: { minutes: 90 }, review: { rounds: 3 } });
    expect(task('Overall success')?.acceptance).toEqual([
      { kind: 'text', text: 'All 9 review tasks completed' },
    ]);
  });
  it('looks at the files that a document names, else at everything, and goes on after a finding', () => {
    const files = '# Web\n\n## Files\n\n- `src/web/`\n- `src/page.ts`\n';
    const name = documentsNamed(campaign).find((path) => path.includes('web')) ?? '';
    const named = read(campaign, { documents: new Map([[name, files]]) }).plan?.tasks ?? [];
    const reads = new Map(named.map((each) => [String(each.id), each.reads]));
    expect(reads.get('Web Client')).toEqual(['src/web', 'src/page.ts']);
    expect(reads.get('Solver Review')).toEqual(['.']);
    expect(reads.get('Overall success')).toEqual(['.']);
    expect(task('Web Client')).toMatchObject({
      onFailure: 'continue',
      review: { timeoutMs: 1_800_000, specializations: ['code-quality', 'testing', 'security'] },
    });
    expect(task('Overall success')?.review.specializations).toEqual([
      'code-quality',
      'testing',
      'performance',
      'security',
    ]);
  });
  it('leaves to its front matter what follows from a failure', () => {
    const own = campaign.replace('---\n', '---\ndefaults: { onFailure: fail-run }\n');
    expect(read(own).plan?.tasks.map(({ onFailure }) => onFailure)).not.toContain('continue');
  });
  it('with work in it reviews what the run changes', () => {
    const text =
      '| Task | Dependencies | Kind | Workspace | Run |\n|-|-|-|-|-|\n| A | None | implement | `src` | `true` |\n| B | A | review |  |  |\n';
    expect(read(text).plan?.tasks.map(({ id, reads }) => [id, reads])).toEqual([
      ['A', 'all'],
      ['B', 'all'],
    ]);
  });
  it('takes what front matter says of the plan', () => {
    expect(plan?.limits.workers).toBe(3);
  });
  it('takes nothing from deferred sections', () => {
    expect(JSON.stringify(plan)).not.toContain('Fax');
  });
  it('means by All core neither the task itself nor those that wait for it', () => {
    const text =
      '## Core tasks\n\n| Task | Dependencies | Kind |\n|-|-|-|\n| A | None | review |\n| B | All core | review |\n| C | B | review |\n';
    expect(read(text).plan?.tasks.map(({ id, dependsOn }) => [id, ...dependsOn])).toEqual([
      ['A'],
      ['B', 'A'],
      ['C', 'B'],
    ]);
  });
});

describe('a plan of changes with steps', () => {
  it('does not run while its activation checklist has open boxes', () => {
    const { plan, problems } = read(workflow);
    expect(plan).toBeUndefined();
    expect(
      problems.filter(({ severity }) => severity === 'error').map((each) => formatProblem(each)),
    ).toEqual([
      `plan.md:${lineOf(workflow, '- [ ] The ladder')}:1: error PLAN_NOT_ACTIVE: The activation checklist has 1 open box: line ${lineOf(workflow, '- [ ] The ladder')} "The ladder is there"\n  fix: tick them once they are true; until then the plan does not run`,
    ]);
    expect(read(workflow.replace('- [ ] The ladder', '- [x] The ladder')).plan?.tasks).toHaveLength(5);
  });
  it('becomes work, a gate and a verification for each heading, in order', () => {
    const { plan } = read(workflow, { isDraft: true });
    const asked = plan?.tasks.find(({ kind }) => kind === 'manual')?.instructions;
    expect(asked?.split('\n')[0]).toBe('Step 3: User executes');
    expect(plan?.tasks.map(({ id, kind, dependsOn, workspace }) => [id, kind, dependsOn, workspace])).toEqual(
      [
        ['A0.1', 'implement', [], ['scripts/count.js']],
        ['A0.1: User executes', 'manual', ['A0.1'], []],
        ['A0.1: Verification', 'verify', ['A0.1: User executes'], []],
        ['A0.2', 'implement', ['A0.1: Verification'], ['water']],
        ['A0.2: Manual deployment', 'manual', ['A0.2'], []],
      ],
    );
    const [first, , verification, second] = plan?.tasks ?? [];
    expect(first?.review).toMatchObject({ mode: 'required', specializations: ['security'] });
    expect(second?.review.specializations).toEqual(['security', 'performance']);
    expect(second?.acceptance).toEqual([{ kind: 'text', text: 'Each tree is watered' }]);
    expect(verification?.acceptance).toEqual([{ kind: 'run', run: 'node scripts/count.js --check' }]);
  });

  it('names the document of a step of progress, which the run keeps when it is asked to', () => {
    const steps = `${workflow.replace('- [ ] The ladder', '- [x] The ladder')}\n### B1: Prune\n\n**Step 1: Work**\n- Write \`p/a.js\`\n\n**Step 2: Update progress**\n- Update ORCHARD_PROGRESS.md with the time\n`;
    const [found] = read(steps).problems.filter(({ code }) => code === 'PLAN_STEP_LEFT_OUT');
    expect(found?.fix).toBe('run the plan with `--progress ORCHARD_PROGRESS.md`');
  });
});

describe('documents that a plan names', () => {
  const text =
    '| Task | Document | Dependencies |\n|-|-|-|\n| Door | `docs/door.md` | None |\n| Roof | docs/roof.md | Door |\n';
  const door =
    '---\nworkspace: src/door\nexecutor: { run: make door }\nowner: me\n---\n# The door\n\n## Acceptance\n\n- It closes\n- `npm test`\n';

  it('are told', () => {
    expect(documentsNamed(text)).toEqual(['docs/door.md', 'docs/roof.md']);
  });
  it('may stand in a dependency by a link, and are told where no row has them', () => {
    const linked =
      '| Task | Document | Dependencies |\n|-|-|-|\n| Door Review | docs/door.md | None |\n' +
      '| Roof Review | docs/roof.md | [the first](../docs/door.md), [old](old.md) |\n| Lamp Review | | [Roof](nowhere.md) |\n';
    const { plan, problems } = read(linked);
    expect(plan?.tasks.map(({ id, dependsOn }) => [id, ...dependsOn])).toEqual([
      ['Door Review'],
      ['Roof Review', 'Door Review'],
      ['Lamp Review', 'Roof Review'],
    ]);
    expect(problems.filter(({ code }) => code === 'PLAN_DOCUMENT_UNLISTED')).toMatchObject([
      {
        line: 4,
        column: 63,
        message: expect.stringContaining('waits for the document old.md, which no table') as string,
      },
    ]);
  });
  it('give instructions, workspace, executor and acceptance', () => {
    const roof = '# Roof\n\n## Files\n\n- `src/roof/`\n\n## To do\n\n- [ ] Tiles\n';
    const { plan, problems } = read(`---\nexecutor: { run: make }\n---\n${text}`, {
      documents: new Map([
        ['docs/door.md', door],
        ['docs/roof.md', roof],
      ]),
    });
    expect(problems).toEqual([]);
    expect(plan?.tasks).toMatchObject([
      {
        workspace: ['src/door'],
        executor: { run: ['make door'] },
        acceptance: [
          { kind: 'run', run: 'npm test' },
          { kind: 'text', text: 'It closes' },
        ],
      },
      { workspace: ['src/roof'], dependsOn: ['Door'], acceptance: [{ kind: 'text', text: 'Tiles' }] },
    ]);
    expect(plan?.tasks[0]?.instructions).toContain('# The door');
  });
  it('have problems at their own lines, and are missed', () => {
    const wrong = door.replace('src/door', '../door');
    const { problems } = read(text, { documents: new Map([['docs/door.md', wrong]]) });
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'PLAN_PATH_OUTSIDE', file: 'docs/door.md', line: 2, column: 12 }),
    );
    expect(problems).toContainEqual(
      expect.objectContaining({
        code: 'PLAN_DOCUMENT_MISSING',
        severity: 'warning',
        file: 'plan.md',
        line: 4,
      }),
    );
  });
});

describe('import', () => {
  it.each(['campaign.md', 'workflow.md'])('writes %s as YAML that is the same plan', (name) => {
    const options = { file: 'plan.md', isDraft: true };
    const { yaml = '' } = importPlan(fixture(name), options);
    const { plan, problems } = parsePlan(yaml, { file: 'plan.yaml' });
    expect(problems).toEqual([]);
    expect(plan).toEqual(parsePlan(fixture(name), options).plan);
  });
  it('names the line of each task', () => {
    const { yaml } = importPlan(campaign, { file: 'plan.md' });
    expect(yaml).toContain(`  # plan.md:${lineOf(campaign, '| Cache Review')}\n  - id: Cache Review\n`);
    expect(yaml).toContain('# done, and so left out: Gateway Review (line');
  });
});

describe('front matter', () => {
  const table = '\n| Task | Workspace |\n|-|-|\n| A | `a` |\n';
  it('has the place of every problem, behind a byte-order mark and with CRLF, too', () => {
    const text = `\uFEFF---\nexecutor: { run: make }\nlimits: { workers: none }\n---\n${table}`;
    for (const written of [text, text.replaceAll('\n', '\r\n')])
      expect(read(written).problems).toMatchObject([{ code: 'PLAN_TYPE', line: 3, column: 20 }]);
  });
  it('adds to tasks by their names', () => {
    const { plan } = read(`---\ntasks: [{ id: a, executor: { run: make a }, retries: 0 }]\n---\n${table}`);
    expect(plan?.tasks).toMatchObject([{ id: 'A', retries: 0, executor: { run: ['make a'] } }]);
  });
  it('may hold pipelines, beside tasks of the document or alone', () => {
    const pipelines = `---
executor: { run: make }
pipelines:
  - id: change
    items: [users, orders]
    order: sequential
    steps:
      - { id: work, workspace: 'db/{{item}}' }
      - { id: deploy, kind: manual, instructions: 'Run {{item}}' }
---
`;
    const ids = [
      ['change/users/work'],
      ['change/users/deploy', 'change/users/work'],
      ['change/orders/work', 'change/users/deploy'],
      ['change/orders/deploy', 'change/orders/work'],
    ];
    const orderIn = (text: string) => {
      const { plan, problems, pipelines: made } = read(text);
      expect(problems).toEqual([]);
      expect(made).toMatchObject([{ id: 'change', order: 'sequential', items: ['users', 'orders'] }]);
      return plan?.tasks.map(({ id, dependsOn }) => [id, ...dependsOn]);
    };
    expect(orderIn(`${pipelines}\n# Only pipelines\n`)).toEqual(ids);
    const beside = orderIn(`${pipelines}${table.replace('`a` |', '`a` |\n')}`);
    expect(beside).toEqual([['A'], ...ids]);
    const after = `${pipelines.replace('pipelines:', 'tasks: [{ id: A, dependsOn: [change] }]\npipelines:')}${table}`;
    expect(orderIn(after)?.[0]).toEqual(['A', 'change/users/deploy', 'change/orders/deploy']);
  });
  it('may hold what other programs keep there, and misspelt keys are told', () => {
    const text = `---\ntitle: x\nweather: fine\nstrateg: auto\nexecutor: { run: make }\n---\n${table}`;
    expect(read(text).problems).toMatchObject([
      { code: 'PLAN_UNKNOWN_KEY', severity: 'warning', line: 3 },
      { code: 'PLAN_UNKNOWN_KEY', severity: 'error', line: 4, fix: 'did you mean "strategy"?' },
    ]);
  });
});

describe('any Markdown', () => {
  const parts = fc.constantFrom(
    ...['# ', '## Phase 1: A', '- [ ] ', '- [x] A', '| Task | Dependencies |\n|-|-|\n', '| A | All |\n'],
    ...[
      '| B | A, `b.md` |\n',
      '\n',
      '\r\n',
      '\t',
      '---\n',
      'tasks:\n',
      '> ',
      '1. **A** (parallel)\n',
      '   - `b.md`\n',
    ],
    ...[
      '### T0.1: X\n',
      '**Step 1: Work**\n',
      '```sh\n',
      '\uFEFF',
      'A',
      'Progress',
      '## Activation\n',
      'ä😀',
      '|',
      '`',
      '*',
    ],
  );
  const isInside = (text: string, file: string): void => {
    const { plan, problems } = read(text);
    expect(problems.some(({ severity }) => severity === 'error')).toBe(plan === undefined);
    const lines = text.split(/\r\n|\n|\r/);
    for (const problem of problems) {
      expect(problem.file).toBe(file);
      expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1]?.length ?? -1) + 1);
    }
  };
  it('gets an answer, with every place inside the file', () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 25 }), (some) => isInside(some.join(''), 'plan.md')),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (some) => isInside(some, 'plan.md')),
      { numRuns: 50 },
    );
  });
  it('has no place between the two characters of a line break', () => {
    isInside('## Phase 1: A\n- [ ] \r\n| Task | Dependencies |\n|-|-|\n', 'plan.md');
  });
  it('with every part of a real one cut off anywhere, too', () => {
    for (let end = 0; end < campaign.length; end += 397) isInside(campaign.slice(0, end), 'plan.md');
  });
  it('is refused where parsing would take minutes', () => {
    for (const text of [
      '>'.repeat(50_000),
      '_a*'.repeat(20_000),
      '['.repeat(50_000),
      'a*\n_b*\n'.repeat(20_000),
    ])
      expect(read(text).problems).toMatchObject([{ code: 'PLAN_SYNTAX' }]);
    expect(read('a\n'.repeat(limits.markdownPlanBytes)).problems).toMatchObject([{ code: 'PLAN_TOO_LARGE' }]);
  });
});
