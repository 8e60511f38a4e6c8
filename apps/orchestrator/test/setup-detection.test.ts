import { buildPlan, buildTask } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { withSetup } from '../src/setup-detection.ts';

const plan = buildPlan([buildTask({ id: 'a' })]);

describe('the set-up of a plan', () => {
  it.each([
    [['package-lock.json'], 'npm ci --no-audit --no-fund'],
    [['npm-shrinkwrap.json'], 'npm ci --no-audit --no-fund'],
    [['pnpm-lock.yaml'], 'pnpm install --frozen-lockfile'],
    [['yarn.lock'], 'yarn install --frozen-lockfile'],
    [['yarn.lock', 'package-lock.json'], 'npm ci --no-audit --no-fund'],
  ])('is what %j asks for', (files, command) => {
    expect(withSetup(plan, new Set(['README.md', ...files])).setup).toEqual({
      run: [command],
      network: ['registry'],
    });
  });

  it('is none where no lock file is', () => {
    expect(withSetup(plan, new Set(['package.json']))).toBe(plan);
  });

  it('is its own where it has one', () => {
    const own = buildPlan(plan.tasks, { setup: { run: ['make deps'], network: [] } });
    expect(withSetup(own, new Set(['package-lock.json']))).toBe(own);
  });
});
