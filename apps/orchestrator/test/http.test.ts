import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../src/http.ts';
import { Bench } from './bench.ts';

let bench: Bench;
let server: Server;
let url: string;

beforeEach(async () => {
  bench = new Bench();
  server = createServer(
    createHttp({
      daemon: () => bench.daemon,
      metrics: bench.metrics,
      version: '1.2.3',
      mayRead: (token) => token === 'right',
      git: (_request, response) => response.end('git'),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

async function get(path: string, token?: string): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { headers });
  return { status: response.status, text: await response.text() };
}

describe('the port without the hub', () => {
  it('says that it lives, and what it has, to anybody', async () => {
    expect(await get('/healthz')).toEqual({ status: 200, text: '{"status":"ok","version":"1.2.3"}' });
    expect(JSON.parse((await get('/readyz')).text)).toEqual({
      status: 'ready',
      runs: 0,
      activeRuns: 0,
      workers: 0,
      reviewers: 0,
      clients: 0,
    });
    expect((await get('/')).text).toContain('Switchyard orchestrator');
  });

  it.each(['/metrics', '/api/runs', '/api/runs/x', '/api/anything'])(
    'shows %s only with the token',
    async (path) => {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, 'wrong')).status).toBe(401);
      expect((await get(path, 'right')).status).not.toBe(401);
    },
  );

  it('shows runs, one or all', async () => {
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    expect(JSON.parse((await get('/api/runs', 'right')).text)).toMatchObject([{ run, phase: 'running' }]);
    expect(JSON.parse((await get(`/api/runs/${run}`, 'right')).text)).toMatchObject({ tasks: [{ id: 'a' }] });
    expect((await get('/api/runs/another', 'right')).status).toBe(404);
  });

  it('counts what happened', async () => {
    await bench.client('client-1');
    await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const { text } = await get('/metrics', 'right');
    expect(text).toContain('switchyard_run_events_total{kind="task-ready"} 1');
    expect(text).toContain('switchyard_peers{role="client"} 1');
  });

  it('hands git on, and knows nothing else', async () => {
    expect((await get('/git/info/refs')).text).toBe('git');
    expect((await get('/nothing')).status).toBe(404);
  });
});
