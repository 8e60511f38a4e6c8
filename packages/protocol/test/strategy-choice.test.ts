import {
  chooseStrategy,
  criticalPath,
  dependenciesFirst,
  overlaps,
  planShape,
  taskId,
  type Plan,
  type PlanTask,
} from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';

type Choice = Parameters<typeof chooseStrategy>[0];

function task(id: string, dependsOn: readonly string[] = [], estimate: PlanTask['estimate'] = {}): PlanTask {
  return {
    id: taskId.parse(id),
    kind: 'implement',
    instructions: '',
    workspace: [],
    reads: 'all',
    dependsOn: dependsOn.map((one) => taskId.parse(one)),
    requires: [],
    estimate,
    executor: { kind: 'command', run: [] },
    acceptance: [],
    review: { mode: 'never', specializations: [], rounds: 1, timeoutMs: 1000, onTimeout: 'escalate' },
    mcpServers: [],
    onFailure: 'continue',
    timeoutMs: 1000,
    retries: 0,
    resume: 'clean',
  };
}

function plan(tasks: PlanTask[], more: { strategy?: Plan['strategy']; workers?: number } = {}): Choice {
  return { strategy: more.strategy ?? 'auto', tasks, limits: { workers: more.workers ?? 5, rpm: 3800 } };
}

const independent = (count: number, estimate: PlanTask['estimate'] = {}): PlanTask[] =>
  Array.from({ length: count }, (_, place) => task(`t${place}`, [], estimate));

describe('the strategy of a plan', () => {
  it.each([
    ['what it asks for', plan(independent(30), { strategy: 'critical-path' }), 'critical-path'],
    ['many requests', plan(independent(4, { rpm: 1000 })), 'rate-aware'],
    ['no more at once than workers', plan(independent(40, { rpm: 100 }), { workers: 5 }), 'max-parallel'],
    ['many at once', plan(independent(21), { workers: 50 }), 'rate-aware'],
    [
      'a long chain',
      plan([task('a'), task('b', ['a']), task('c', ['b']), task('d', ['c'])]),
      'critical-path',
    ],
    ['a short chain', plan([task('a'), task('b', ['a']), task('c', ['b'])]), 'max-parallel'],
    ['a few', plan(independent(5)), 'max-parallel'],
    ['some', plan(independent(12)), 'max-parallel'],
  ] as const)('%s', (_name, of, expected) => {
    const { chosen, reason } = chooseStrategy(of);
    expect(chosen).toBe(expected);
    expect(reason).not.toBe('');
  });
});

describe('the graph of a plan', () => {
  const diamond = [
    task('end', ['left', 'right']),
    task('left', ['start'], { minutes: 1 }),
    task('right', ['start'], { minutes: 5 }),
    task('start'),
  ];

  it('has a critical path and a longest chain', () => {
    expect(criticalPath(diamond)).toEqual(['start', 'right', 'end']);
    expect(planShape(plan(diamond))).toMatchObject({ chainLength: 3, width: 2 });
    expect(criticalPath([])).toEqual([]);
    expect(planShape(plan([])).chainLength).toBe(0);
  });

  it('has an order, without the tasks of a circle', () => {
    expect(dependenciesFirst(diamond).map(({ id }) => id)).toEqual(['start', 'left', 'right', 'end']);
    expect(dependenciesFirst([task('a', ['b']), task('b', ['a']), task('c')]).map(({ id }) => id)).toEqual([
      'c',
    ]);
  });
});

describe('workspaces overlap', () => {
  it.each([
    [['src'], ['src'], true],
    [['src'], ['src/a/b'], true],
    [['src/a'], ['src/ab'], false],
    [['.'], ['x'], true],
    [['docs', 'src/a'], ['lib', 'src/a/x.ts'], true],
    [['src'], [], false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });
});
