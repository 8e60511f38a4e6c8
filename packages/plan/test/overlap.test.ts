import { parsePlan } from '@switchyard/plan';
import { overlaps as overlap } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const segment = fc.constantFrom('a', 'b', 'ab', 'c.ts');
const path = fc.oneof(
  { weight: 9, arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')) },
  { weight: 1, arbitrary: fc.constant('.') },
);
const workspace = fc.uniqueArray(path, { maxLength: 4 });

/** The same question answered by walking up every path. */
const parents = (of: string): string[] => {
  const parts = of === '.' ? [] : of.split('/');
  return ['.', ...parts.map((_, at) => parts.slice(0, at + 1).join('/'))];
};
const naive = (a: readonly string[], b: readonly string[]): boolean =>
  a.some((left) => b.some((right) => parents(left).includes(right) || parents(right).includes(left)));

describe('overlap', () => {
  it.each([
    [['src/auth'], ['src/auth'], true],
    [['src/auth'], ['src/auth/models'], true],
    [['src/auth'], ['src/authors'], false],
    [['.'], ['README.md'], true],
    [['docs', 'src/a'], ['src/b', 'docs/x.md'], true],
    [[], ['.'], false],
  ])('of %j and %j is %s', (a, b, expected) => {
    expect(overlap(a, b)).toBe(expected);
  });

  it('is the same either way round, and the same as walking up every path', () => {
    fc.assert(
      fc.property(workspace, workspace, (a, b) => {
        expect(overlap(a, b)).toBe(naive(a, b));
        expect(overlap(b, a)).toBe(naive(a, b));
      }),
    );
  });
});

/** Random graphs: each task depends on some before it, so there are no circles; the order of the file is shuffled. */
const graph = fc
  .array(
    fc.record({
      deps: fc.array(fc.nat(30), { maxLength: 3 }),
      workspace: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((tasks) =>
    tasks.map(({ deps, workspace: paths }, at) => ({
      id: `t${at}`,
      workspace: paths,
      dependsOn: [...new Set(at === 0 ? [] : deps.map((dep) => `t${dep % at}`))],
    })),
  )
  .chain((tasks) => fc.shuffledSubarray(tasks, { minLength: tasks.length }));

type Task = { id: string; workspace: string[]; dependsOn: string[] };
const before = (tasks: readonly Task[], id: string): Set<string> => {
  const found = new Set<string>();
  const visit = (name: string): void => {
    for (const next of tasks.find((task) => task.id === name)?.dependsOn ?? []) {
      if (!found.has(next)) visit(next);
      found.add(next);
    }
  };
  visit(id);
  return found;
};
const codesOf = (tasks: readonly Task[]) =>
  parsePlan(JSON.stringify({ tasks: tasks.map((task) => ({ ...task, executor: { run: 'make' } })) }), {
    file: 'p',
  }).problems;

describe('the overlap check of a plan', () => {
  it('names exactly the pairs that overlap and are not ordered, directly or through others', () => {
    fc.assert(
      fc.property(graph, (tasks) => {
        const pairs = tasks.flatMap((a, at) => tasks.slice(at + 1).map((b) => [a, b] as const));
        const clashing = pairs.filter(
          ([a, b]) =>
            !before(tasks, a.id).has(b.id) &&
            !before(tasks, b.id).has(a.id) &&
            naive(a.workspace, b.workspace),
        );
        const told = codesOf(tasks)
          .filter((problem) => problem.code === 'PLAN_OVERLAP')
          .map((problem) => /^Tasks (\S+) and (\S+) can/.exec(problem.message)?.slice(1, 3).join());
        expect(new Set(told)).toEqual(new Set(clashing.map(([a, b]) => `${a.id},${b.id}`)));
        expect(told).toHaveLength(clashing.length);
      }),
    );
  });

  it('finds no circle where there is none', () => {
    fc.assert(
      fc.property(graph, (tasks) => {
        expect(codesOf(tasks).map((problem) => problem.code)).not.toContain('PLAN_CYCLE');
      }),
    );
  });
});

describe('the check for circles', () => {
  it('finds one wherever an edge back is added, and the path it tells is made of real dependencies', () => {
    fc.assert(
      fc.property(graph, fc.nat(), fc.nat(), (tasks, from, to) => {
        const [a, b] = [tasks[from % tasks.length], tasks[to % tasks.length]];
        if (a === undefined || b === undefined || !(a === b || before(tasks, b.id).has(a.id))) return;
        const bent = tasks.map((task) =>
          task.id === a.id ? { ...task, dependsOn: [...new Set([...task.dependsOn, b.id])] } : task,
        );
        const told = codesOf(bent).filter((problem) => problem.code === 'PLAN_CYCLE');
        expect(told).toHaveLength(1);
        const path = told[0]?.message.replace('Circular dependency detected: ', '').split(' → ') ?? [];
        expect(path[0]).toBe(path.at(-1));
        for (const [at, id] of path.slice(0, -1).entries())
          expect(bent.find((task) => task.id === id)?.dependsOn).toContain(path[at + 1]);
      }),
    );
  });
});
