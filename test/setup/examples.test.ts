import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatProblem, parsePlan } from '@switchyard/plan';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../tools/examples', import.meta.url));
const read = (name: string) => {
  const file = join(folder, name, 'plan.yaml');
  return parsePlan(readFileSync(file, 'utf8'), { file });
};

describe('an example', () => {
  it.each(readdirSync(folder))('%s is a plan without problems', (name) => {
    const { problems } = read(name);
    expect(problems.map((problem) => formatProblem(problem)).join('\n')).toBe('');
  });
});

describe('the main job', () => {
  const tasks = read('self-report').plan?.tasks ?? [];

  it('has ten command tasks and more', () => {
    const commands = tasks.filter(({ executor }) => executor.kind === 'command' && executor.run.length > 0);
    expect(commands.length).toBeGreaterThanOrEqual(10);
    expect(commands).toHaveLength(tasks.length);
  });
  it('proves every task by a command and reviews it', () => {
    for (const task of tasks) {
      expect(
        task.acceptance.some(({ kind }) => kind === 'run'),
        task.id,
      ).toBe(true);
      expect(task.review.mode, task.id).toBe('required');
    }
  });
  it('has a diamond: two that wait for one, and one that waits for both', () => {
    const isDiamond = tasks.some((bottom) =>
      tasks.some((top) => {
        const sides = tasks.filter(
          ({ id, dependsOn }) => dependsOn.includes(top.id) && bottom.dependsOn.includes(id),
        );
        return sides.length > 1;
      }),
    );
    expect(isDiamond).toBe(true);
  });
  it('is reviewed for security and for style', () => {
    const wanted = new Set(tasks.flatMap(({ review }) => review.specializations));
    expect([...wanted].sort()).toEqual(['security', 'style']);
  });
});

describe('the warm-up of the main job', () => {
  it('has the same set-up, so that the layer it builds is found', () => {
    const file = join(folder, 'self-report', 'warm.yaml');
    const { plan, problems } = parsePlan(readFileSync(file, 'utf8'), { file });
    expect(problems).toEqual([]);
    expect(plan?.setup).toEqual(read('self-report').plan?.setup);
  });
});
