import { expect, test } from 'vitest';
import { fullestMinute, runGatewayQuota } from './gateway-quota.ts';

test('clients of all workers go through one quota to the provider, and none fails', async () => {
  const size = { workers: 2, clientsAWorker: 3, requestsAClient: 2, rpm: 60, idleMs: 0 };
  const { requests, failed, fullest, whileIdle } = await runGatewayQuota(size);
  expect({ requests, failed, fullest, whileIdle }).toEqual({
    requests: 12,
    failed: 0,
    fullest: 12,
    whileIdle: 0,
  });
});

test('the fullest minute is looked for in all windows', () => {
  expect(fullestMinute([0, 30_000, 59_999, 60_000, 90_000, 120_000])).toBe(3);
});
