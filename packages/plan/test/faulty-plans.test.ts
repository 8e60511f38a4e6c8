import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatProblem, parsePlan } from '@switchyard/plan';
import { describe, expect, it } from 'vitest';

/** Each faulty plan in fixtures/ has its exact expected text beside it, in a file of the same name ending in .txt. */
const folder = fileURLToPath(new URL('fixtures/', import.meta.url));
const files = readdirSync(folder).filter((name) => /\.(yaml|md)$/.test(name));

/** Executors that exist where a plan is read. */
const executorsFor = (name: string) => (name === 'mode-worker.yaml' ? ['command', 'llm'] : ['command']);

describe('a faulty plan', () => {
  it('is there in many kinds', () => {
    expect(files.length).toBeGreaterThanOrEqual(20);
  });

  it.each(files)('%s is told all that is wrong with it, with place and fix', (name) => {
    const { problems } = parsePlan(readFileSync(`${folder}${name}`, 'utf8'), {
      file: name,
      executors: executorsFor(name),
    });
    const text = problems.map((problem) => `${formatProblem(problem)}\n`).join('');
    expect(text).toBe(readFileSync(`${folder}${name}.txt`, 'utf8'));
  });

  it.each(files.filter((name) => name !== 'duplicate-dependency.yaml'))('%s yields no plan', (name) => {
    const parsed = parsePlan(readFileSync(`${folder}${name}`, 'utf8'), {
      file: name,
      executors: executorsFor(name),
    });
    expect(parsed.plan).toBeUndefined();
  });
});
