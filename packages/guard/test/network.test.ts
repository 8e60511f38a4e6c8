import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSandbox, type SandboxNetwork } from '@switchyard/guard';
import { openOptions, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const held = useSandbox();

/** A host on the loopback of the machine; remembers what it was asked. */
const asked: string[] = [];
let server: Server;
let port = 0;
beforeAll(async () => {
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`);
    request.pipe(response.writeHead(200, { 'x-kept': 'yes' }));
    if (request.method === 'GET') response.end('HELLO');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => server.close());

/** Asks through whatever proxy the environment names: a plain request, or a tunnel with a request in it. */
const client = `
const http = require('node:http');
const [kind, place] = process.argv.slice(1);
const proxy = new URL(process.env.HTTP_PROXY);
const say = (status, body) => { console.log(status, body.trim()); process.exit(); };
const read = (response) => { let all = ''; response.on('data', (d) => all += d).on('end', () => say(response.statusCode, all)); };
const failed = (error) => say('FAILED', error.message);
if (kind === 'plain') http.get({ host: proxy.hostname, port: proxy.port, path: place, headers: { host: 'evil.invalid' } }, read).on('error', failed);
else http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: place })
  .on('connect', (response, socket, head) => {
    if (response.statusCode !== 200) { let all = head.toString(); socket.on('data', (d) => all += d).on('end', () => say(response.statusCode, all)); return; }
    http.get({ createConnection: () => socket, host: 'x', path: '/in-tunnel', headers: { host: place } }, read).on('error', failed);
  }).on('error', failed).end();
`;

function network(allow: readonly string[], more: Partial<SandboxNetwork> = {}): SandboxNetwork {
  return { allow, ...more };
}

async function ask(kind: 'plain' | 'tunnel', place: string, ways: SandboxNetwork) {
  const { output, refusedHosts } = await held.sandbox.run(
    shell(scene, '', { argv: ['node', '-e', client, kind, place], network: ways }),
  );
  return { output: output.trim(), refusedHosts };
}

describe('a command that may use a network', () => {
  it('reaches a place of its list, by a plain request and by a tunnel', async () => {
    const ways = network([`127.0.0.1:${port}`]);
    expect(await ask('plain', `http://127.0.0.1:${port}/a?b`, ways)).toEqual({
      output: '200 HELLO',
      refusedHosts: [],
    });
    expect(await ask('tunnel', `127.0.0.1:${port}`, ways)).toMatchObject({ output: '200 HELLO' });
    // The host is the one that was checked, whatever the request says.
    expect(asked).toEqual([`GET 127.0.0.1:${port} /a?b`, `GET 127.0.0.1:${port} /in-tunnel`]);
  });

  it('is refused every other place, and the answer names it', async () => {
    asked.length = 0;
    const ways = network(['example.org', `127.0.0.1:${port + 1}`]);
    for (const kind of ['plain', 'tunnel'] as const) {
      const place = `127.0.0.1:${port}`;
      const { output, refusedHosts } = await ask(kind, kind === 'plain' ? `http://${place}/` : place, ways);
      expect(output).toBe(`403 ${place} is refused: the plan does not allow this place`);
      expect(refusedHosts).toEqual([place]);
    }
    expect(asked).toEqual([]);
  });

  it('is refused a name that leads to this machine or its neighbours, unless the operator named it', async () => {
    asked.length = 0;
    const name = 'localhost.localdomain';
    const options = openOptions({ resolve: () => Promise.resolve(['127.0.0.1']) });
    const sandbox = await openSandbox(options);
    try {
      const run = (ways: SandboxNetwork) =>
        sandbox.run(
          shell(scene, '', { argv: ['node', '-e', client, 'tunnel', `${name}:${port}`], network: ways }),
        );
      const refused = await run(network([`${name}:${port}`]));
      expect(refused.output).toContain('403');
      expect(refused.output).toContain('leads to a private address');
      expect(asked).toEqual([]);
      const allowed = await run(network([`${name}:${port}`], { operator: [`${name}:${port}`] }));
      expect(allowed.output).toBe('200 HELLO\n');
    } finally {
      await sandbox.close();
    }
  });

  it('has no other way: no route, no name service, no socket but the one', async () => {
    const script = `const net=require('net'),dns=require('dns');
      net.connect(${port},'127.0.0.1').on('connect',()=>console.log('IN')).on('error',e=>{console.log(e.code);
      dns.lookup('example.org',e=>{console.log(e.code); console.log(require('fs').readdirSync('/run/switchyard').join())})})`;
    const { output } = await held.sandbox.run(
      shell(scene, '', { argv: ['node', '-e', script], network: network([`127.0.0.1:${port}`]) }),
    );
    expect(output).toMatch(/^ECONNREFUSED\n(?:EAI_AGAIN|ENOTFOUND)\n3128\.sock,forward\.cjs\n$/);
  });

  it('that is refused by a list that cannot be read is not started', async () => {
    for (const wrong of ['http://example.org', 'a b', '', '*', 'x:99999', '*.*'])
      await expect(ask('plain', 'http://x/', network([wrong])), wrong).rejects.toMatchObject({
        code: 'E_SANDBOX',
      });
  });

  it('keeps its input and its exit code, and its time-out ends the forwarder too', async () => {
    const ways = network(['example.org']);
    const result = await held.sandbox.run(
      shell(scene, 'cat; exit 7', { network: ways, stdin: Buffer.from('in') }),
    );
    expect(result).toMatchObject({ output: 'in', exitCode: 7 });
    const late = await held.sandbox.run(shell(scene, 'sleep 30', { network: ways, timeoutMs: 1500 }));
    expect(late.ended).toBe('timed-out');
  });
});

describe('a socket of ours', () => {
  it('is reached at its port and at no other, and so is nothing else', async () => {
    const path = join(scene.base, 'gateway.sock');
    const gateway = createTcpServer((socket) => socket.end('GATEWAY'));
    await new Promise<void>((resolve) => gateway.listen(path, resolve));
    try {
      const script = `const net=require('net');net.connect(4000,'127.0.0.1').on('data',d=>console.log(String(d)))`;
      const { output } = await held.sandbox.run(
        shell(scene, '', {
          argv: ['sh', '-c', `node -e "${script}"; env | grep -ci proxy; ls /run/switchyard`],
          network: network([], { sockets: [{ port: 4000, path }] }),
        }),
      );
      expect(output).toBe('GATEWAY\n0\n4000.sock\nforward.cjs\n');
    } finally {
      gateway.close();
    }
  });
});
