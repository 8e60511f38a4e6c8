import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { silentLogger } from '@switchyard/runtime';
import { expect, it } from 'vitest';
import { openNetworkAccess } from '../src/network-access.ts';
import type { ProcessRequest, SandboxNetwork } from '../src/sandbox-request.ts';

const access = (network: SandboxNetwork) => {
  const request: ProcessRequest = { argv: ['true'], cwd: '/', env: {}, network, timeoutMs: 1, mounts: [] };
  return openNetworkAccess(request, { logger: silentLogger(), upstream: undefined, resolve: undefined });
};

it('the socket of a proxy is alone in a folder that goes with it', async () => {
  const opened = await access({ allow: ['example.org'] });
  const [mount] = opened.request.mounts;
  const socket = mount?.kind === 'read' ? mount.source : '';
  expect(existsSync(socket)).toBe(true);
  await opened.close();
  expect(existsSync(dirname(socket))).toBe(false);
});

it.each([
  ['each other', [4000, 4000], []],
  ['the proxy', [3128], ['example.org']],
  ['what only root may open', [80], []],
])('a socket of ours takes no port of %s', async (_whose, ports, allow) => {
  const sockets = ports.map((port) => ({ port, path: '/run/gateway.sock' }));
  await expect(access({ allow, sockets })).rejects.toMatchObject({ code: 'E_SANDBOX' });
});
