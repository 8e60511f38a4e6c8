import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
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
      mayAnswer: (token) => token === 'of-a-client',
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

/** What is answered to the head of a request that is to be so long. */
async function announce(path: string, bytes: number): Promise<number | undefined> {
  const headers = { authorization: 'Bearer of-a-client', 'content-length': String(bytes) };
  const asked = request(url + path, { method: 'POST', headers });
  asked.flushHeaders();
  const [{ statusCode }] = (await once(asked, 'response')) as [IncomingMessage];
  asked.destroy();
  return statusCode;
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

  it('says so to a load balancer too, which asks in HTTP/1.0 and names no host', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"status":"ok"/);
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

  it('answers a gate for who has the token of a client, and says what is wrong with an answer', async () => {
    const inputs = [{ name: 'version', text: '', choices: [] }];
    const gate = { mode: 'approve', waitMs: 60_000, inputs } as const;
    const run = await bench.submit(buildPlan([{ ...buildTask({ id: 'ask', kind: 'manual' }), gate }]));
    await bench.until(() => bench.phase(run, 'ask') === 'waiting');
    const answer = async (path: string, body: string, token = 'of-a-client') => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const asked = { method: 'POST', headers, body };
      const response = await fetch(`${url}/api/runs/${path}`, asked);
      return { status: response.status, text: await response.text() };
    };
    const yes = JSON.stringify({ approve: true, inputs: { version: '1.4' } });
    expect((await answer(`${run}/gates/ask`, yes, 'right')).status).toBe(401);
    expect((await answer(`${run}/gates/ask`, yes, 'wrong')).status).toBe(401);
    const wrong: [string, string, number, RegExp][] = [
      [`${run}/gates/ask`, '{"approve":', 400, /send \{[^]*approve: /],
      [`${run}/gates/ask`, '{"approve":"yes","note":5}', 400, /approve: [^]*note: /],
      [`${run}/gates/ask`, '{"approve":true}', 422, /version[^]*E_GATE_INPUTS/],
      [`${run}/gates/another`, yes, 404, /E_TASK_UNKNOWN/],
      ['unknown-run/gates/ask', yes, 404, /E_RUN_UNKNOWN/],
    ];
    for (const [path, body, status, said] of wrong) {
      const { text, ...got } = await answer(path, body);
      expect({ path, body: body.slice(0, 30), ...got, text }).toMatchObject({ status });
      expect(text).toMatch(said);
    }
    expect(await announce(`/api/runs/${run}/gates/ask`, 300_000)).toBe(413);
    expect(bench.phase(run, 'ask')).toBe('waiting');
    expect((await answer(`${run}/gates/ask`, yes)).status).toBe(200);
    expect(bench.phase(run, 'ask')).toBe('completed');
    expect((await answer(`${run}/gates/ask`, yes)).status).toBe(409);
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
