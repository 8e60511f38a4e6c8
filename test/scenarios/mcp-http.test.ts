import { readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario, until, type Running } from './harness.ts';
import { httpServer, McpClient, textOf } from './mcp-client.ts';

let made: Scenario;
let server: { running: Running; url: string; tokenFile: string };
let token = '';

beforeAll(async () => {
  made = new Scenario({ 'a.txt': 'a\n' });
  server = await httpServer(
    made,
    '--command',
    'mkdir -p "$SWITCHYARD_TASK" && echo 1 > "$SWITCHYARD_TASK/file"',
  );
  token = readFileSync(server.tokenFile, 'utf8').trim();
});
afterAll(() => made.close(), 30_000);

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

/** A request as no client of the SDK would make it. */
function post(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(server.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
        ...headers,
      },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.once('end', () => resolve({ status: response.statusCode, text }));
    });
    request.end(body);
  });
}

describe('the MCP server over HTTP', () => {
  it.each(['legacy', 'auto'] as const)('serves agents, progress included (%s)', async (mode) => {
    const client = await new McpClient({ mode }).http(server.url, token);
    const args = { taskId: `one-${mode}`, workspacePath: `one-${mode}`, systemPrompt: 'Do it' };
    expect(await client.answer('spawn_parallel_instance', args)).toMatchObject({ status: 'spawned' });
    const waited = await client.answer<{ outcome: string; status: { phase: string } }>('run_wait', {
      timeoutSeconds: 250,
    });
    expect(waited).toMatchObject({ outcome: 'ended', status: { phase: 'completed' } });
    expect(client.progress.join('\n')).toMatch(/1\/1: /);
    await client.close();
  });

  it('keeps its token in a file that only its owner can read, and out of what it prints', () => {
    expect(statSync(server.tokenFile).mode & 0o777).toBe(0o600);
    expect(token).toMatch(/^\w{52}$/);
    expect(server.running.output()).not.toContain(token);
  });

  it.each<[string, Record<string, string>, number]>([
    ['another host', { host: 'evil.example' }, 403],
    ['a name that was made to point here', { host: 'rebound.example:80' }, 403],
    ['a web page', { origin: 'http://evil.example' }, 403],
    ['a web page of this machine', { origin: 'http://localhost:3000' }, 403],
    ['no token', { authorization: '' }, 401],
    ['a wrong token', { authorization: 'Bearer x' }, 401],
  ])('refuses %s', async (_name, headers, status) => {
    expect((await post(list, headers)).status).toBe(status);
    const authorization = headers['authorization'] ?? `Bearer ${token}`;
    if (status === 401)
      await expect(
        new McpClient().http(server.url, authorization.replace('Bearer ', '') || 'x'),
      ).rejects.toThrow();
  });

  it('refuses the token of the orchestrator: it is another door', async () => {
    const operator = made.token();
    expect(operator).not.toBe(token);
    expect((await post(list, { authorization: `Bearer ${operator}` })).status).toBe(401);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['no JSON', 'garbage', /"code":-32700/],
    ['nothing', '', /"code":-32/],
    ['no JSON-RPC', '{"hello": 1}', /"code":-32/],
    ['an unknown method', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'no/such', params: {} }), /-32601/],
    ['bytes', new Uint8Array(1000).fill(0xff), /"code":-32700/],
    ['more than a plan can be', JSON.stringify({ x: 'x'.repeat(9 * 1024 * 1024) }), /too large|exceeds|413/i],
  ])('answers %s with a clear error', async (_name, body, text) => {
    const answer = await post(body);
    expect(answer.text).toMatch(text);
  });

  it('answers wrong arguments with what is wrong with them', async () => {
    const client = await new McpClient().http(server.url, token);
    const wrong: [string, Record<string, unknown>, RegExp][] = [
      ['spawn_parallel_instance', {}, /taskId[^]*workspacePath[^]*systemPrompt/],
      ['spawn_parallel_instance', { taskId: 1, workspacePath: [], systemPrompt: null }, /taskId/],
      ['spawn_parallel_instance', { ...named('x'), systemPrompt: 'x'.repeat(64_001) }, /systemPrompt/],
      ['run_wait', { run: 'no-such-run' }, /E_RUN_UNKNOWN/],
      ['run_wait', { run: '../../etc/passwd' }, /E_RUN_UNKNOWN/],
      ['run_wait', { timeoutSeconds: -1 }, /timeoutSeconds/],
      ['run_wait', { taskId: 'no-such-task' }, /E_TASK_UNKNOWN/],
      ['task_output', {}, /E_USAGE/],
      ['task_output', { taskId: 'no-such-task' }, /E_TASK_UNKNOWN/],
      [
        'task_output',
        { taskId: 'one-legacy', run: 'spawned', attempt: 99 },
        /E_RUN_UNKNOWN|E_USAGE|E_TASK_UNKNOWN/,
      ],
      ['task_diff', { workerId: 'worker:none:x' }, /E_RUN_UNKNOWN/],
      ['answer_escalation', { taskId: 'one-auto', action: 'explode' }, /action/],
      ['gate_approve', { taskId: 'one-auto' }, /E_RUN_STATE/],
      ['plan_check', {}, /E_USAGE/],
      ['plan_check', { plan: 'x', file: 'y' }, /E_USAGE/],
      ['plan_check', { file: '/etc/passwd' }, /E_USAGE: \/etc\/passwd is no file of the repository/],
      ['plan_check', { file: '../../home' }, /E_USAGE/],
      ['run_start', { plan: 'tasks: [{ id: a, dependsOn: [a] }]' }, /E_PLAN_INVALID[^]*PLAN_/],
      ['review_request', { reviewId: 'r' }, /E_RUN_STATE/],
    ];
    for (const [tool, args, text] of wrong) {
      const result = await client.call(tool, args).catch((error: unknown) => error);
      const said = result instanceof Error ? result.message : textOf(result as Parameters<typeof textOf>[0]);
      expect(said, `${tool} ${JSON.stringify(args).slice(0, 100)}`).toMatch(text);
    }
    const checked = await client.answer<{ ok: boolean; problems: { fix: string }[] }>('plan_check', {
      plan: 'tasks: [{ id: a, dependsOn: [b] }]',
    });
    expect(checked.ok).toBe(false);
    expect(checked.problems.every(({ fix }) => fix !== '')).toBe(true);
    await client.close();
  });

  it('goes on when a client vanishes while it waits, and ends with nothing left behind', async () => {
    const client = await new McpClient().http(server.url, token);
    const plan = JSON.stringify({
      name: 'hold',
      tasks: [{ id: 'hold', kind: 'manual', instructions: 'Wait' }],
    });
    const { run } = await client.answer<{ run: string }>('run_start', { plan });
    const body = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
      params: { name: 'run_wait', arguments: { run, untilAttention: false, timeoutSeconds: 3000 } },
    });
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const gone = new AbortController();
        const waiting = fetch(server.url, {
          method: 'POST',
          body,
          signal: gone.signal,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
          },
        });
        setTimeout(() => gone.abort(), 300);
        await waiting.then((response) => response.text()).catch(() => undefined);
      }),
    );
    expect(await client.answer('run_cancel', { run })).toMatchObject({ cancelled: true });
    await client.close();
    server.running.child.kill('SIGTERM');
    expect(await server.running.ended).toMatchObject({ code: 0, stdout: '' });
    await until('the orchestrator to end by itself', () =>
      made.leftovers().length === 0 ? true : undefined,
    );
  });
});

function named(name: string): Record<string, string> {
  return { taskId: name, workspacePath: name, systemPrompt: name };
}

describe('an agent over stdio that vanishes', () => {
  it('takes the server with it, and the run goes on', async () => {
    const client = await new McpClient().stdio(made);
    const plan = {
      name: 'goes-on',
      tasks: [
        {
          id: 'work',
          workspace: 'work',
          review: 'never',
          executor: { run: 'sleep 2; mkdir -p work; echo 1 > work/file' },
        },
      ],
    };
    const { run } = await client.answer<{ run: string }>('run_start', { plan: JSON.stringify(plan) });
    const waiting = client.call('run_wait', { timeoutSeconds: 250 }).catch((error: unknown) => error);
    await client.close();
    expect(await waiting).toBeInstanceOf(Error);
    await until('all processes to end', () => (made.leftovers().length === 0 ? true : undefined));
    const shown = await made.cli('run', 'show', run, '--json').ended;
    expect(JSON.parse(shown.stdout)).toMatchObject({ phase: 'completed' });
  });

  it('may write garbage: the server says so beside its protocol, and goes on', async () => {
    const running = made.start(process.execPath, [
      '-e',
      `
      const { spawn } = require('node:child_process');
      const server = spawn(process.execPath, [${JSON.stringify(cliPath())}, 'mcp'], { stdio: ['pipe', 'inherit', 'inherit'] });
      server.on('exit', (code) => process.exit(code));
      server.stdin.write('garbage\\n{"jsonrpc": "2.0"}\\n[1, 2]\\n');
      server.stdin.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) + '\\n');
      setTimeout(() => server.stdin.end(), 3000);
    `,
    ]);
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    // Standard output has the protocol alone.
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string; id?: number });
    expect(lines.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
    expect(lines.some(({ id }) => id === 1)).toBe(true);
    expect(stderr).toMatch(/switchyard mcp: /);
  });
});

function cliPath(): string {
  return new URL('../../apps/cli/bin/switchyard.mjs', import.meta.url).pathname;
}
