import { expect, test } from 'vitest';
import { runGuardFuzz } from './guard-fuzz.ts';

test('2,000 trees with operations: the path guard answers what the model answers, and leaves the same trees', async () => {
  const { cases, operations, done, difference } = await runGuardFuzz(2000);
  expect(difference).toBeUndefined();
  expect(cases).toBe(2000);
  // Neither all refused nor all done: the cases reach the rules.
  expect(done).toBeGreaterThan(operations / 10);
  expect(done).toBeLessThan(operations);
});
