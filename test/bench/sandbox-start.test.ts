import { expect, test } from 'vitest';
import { runSandboxStart } from './sandbox-start.ts';

test('sandbox, bare bwrap and plain spawn are timed by turns, and a tree dies soon after its limit', async () => {
  const { plainMs, bareMs, firstMs, announcedMs, sandboxMs, limitToDeathMs } = await runSandboxStart(3, 1);
  const all = [plainMs, bareMs, firstMs, announcedMs, sandboxMs, limitToDeathMs];
  expect(all.map(({ length }) => length)).toEqual([3, 3, 3, 3, 3, 1]);
  expect(Math.min(...plainMs)).toBeGreaterThan(0);
  // The clock of the limit starts a little after the call.
  expect(limitToDeathMs[0]).toBeGreaterThan(0);
});
