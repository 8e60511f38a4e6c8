import { runGatewayQuota } from './gateway-quota.ts';

const rpm = 60;
const size = { workers: 4, clientsAWorker: 6, requestsAClient: 6, rpm, idleMs: 60_000 };

/** 24 clients under one quota of 60 requests a minute, and then nobody: the lines of a table. Takes about three minutes. */
export async function measureGatewayQuota(): Promise<readonly string[]> {
  const { requests, failed, wallMs, fullest, whileIdle } = await runGatewayQuota(size);
  // The last window may be full at once: so many minutes have to pass before it.
  const leastMs = (Math.ceil(requests / rpm) - 1) * 60_000;
  return [
    `${size.workers * size.clientsAWorker} clients, ${requests} requests, a quota of ${rpm} a minute`,
    `requests that failed                      ${failed}`,
    `the most in any minute, at the server     ${fullest}`,
    `time                                      ${(wallMs / 1000).toFixed(1)} s`,
    `of what the quota allows                  ${(wallMs / leastMs).toFixed(3)} (${leastMs / 1000} s)`,
    `requests in ${size.idleMs / 1000} s while nobody asks         ${whileIdle}`,
  ];
}
