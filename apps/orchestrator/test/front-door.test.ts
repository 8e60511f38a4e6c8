import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStateFolder, silentLogger } from '@switchyard/runtime';
import { seededRandom, VirtualClock } from '@switchyard/testkit';
import { openTokenBook, type TokenBook } from '@switchyard/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCertificate } from '../src/certificate-file.ts';
import { configSchema } from '../src/config.ts';
import { closedDoor, openFrontDoor, type FrontDoor } from '../src/front-door.ts';
import { Bench } from './bench.ts';

let root: string;
let tokens: TokenBook;
let door: FrontDoor | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-door-'));
});
afterEach(async () => {
  await door?.listener.close();
  door = undefined;
  rmSync(root, { recursive: true, force: true });
});

async function open(config: object): Promise<FrontDoor> {
  const bench = new Bench();
  const folder = openStateFolder(root);
  tokens = openTokenBook(folder.tokenFile, { random: seededRandom(3), clock: new VirtualClock() });
  if (bench.hub === undefined) throw new Error('no hub');
  door = await openFrontDoor({
    config: configSchema.parse({ port: 0, ...config }),
    folder,
    tokens,
    hub: bench.hub,
    daemon: bench.daemon,
    metrics: bench.metrics,
    logger: silentLogger(),
  });
  return door;
}

describe('the one port', () => {
  it('on the loopback has no TLS, and so invites nobody', async () => {
    const opened = await open({});
    expect(opened.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/hub$/);
    expect(() => opened.invite('worker')).toThrow(
      expect.objectContaining({ code: 'E_BIND_INSECURE' }) as Error,
    );
    expect(() => opened.invite('worker')).toThrow(/--tls-hosts/);
  });

  it('elsewhere is refused without TLS', async () => {
    await expect(open({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'E_BIND_INSECURE' });
  });

  it('with TLS invites by name, fingerprint and a token of one use', async () => {
    const opened = await open({ host: '0.0.0.0', tlsHosts: 'build.example, 10.0.0.7' });
    const invitation = opened.invite('worker');
    expect(invitation).toMatchObject({ fingerprint: opened.fingerprint });
    expect(invitation.url).toMatch(/^wss:\/\/build\.example:\d+\/hub$/);
    expect(tokens.grant(invitation.token, 'control')?.roles).toEqual(['worker']);
  });

  it('keeps its certificate while that names every host, since workers know it; a new one is logged', async () => {
    const log = silentLogger();
    const warnings: unknown[] = [];
    log.warn = (_fields: unknown, message?: unknown) => warnings.push(message);
    const folder = join(root, 'tls');
    const shown = async (...hosts: string[]) =>
      (await openCertificate(folder, { hosts, logger: log })).fingerprint;
    const first = await shown('build.example', '10.0.0.7');
    expect(await shown('10.0.0.7', 'build.example')).toBe(first);
    expect(await shown('10.0.0.7')).toBe(first);
    expect(warnings).toEqual([]);
    expect(await shown('10.0.0.8')).not.toBe(first);
    expect(warnings).toEqual([expect.stringContaining('until they are invited again')]);
  });

  it('lets a token of one use neither read nor fetch', async () => {
    const { listener } = await open({});
    const { token } = tokens.invite('worker');
    const get = async (path: string, bearer: string): Promise<number> =>
      (await fetch(listener.httpUrl + path, { headers: { authorization: `Bearer ${bearer}` } })).status;
    expect(await get('/api/runs', token)).toBe(401);
    expect(await get('/git/info/refs?service=git-upload-pack', token)).toBe(401);
    expect(await get('/api/runs', tokens.operatorToken)).toBe(200);
  });

  it('invites nobody before it is open', () => {
    expect(() => closedDoor.invite('worker')).toThrow(
      expect.objectContaining({ code: 'E_UNREACHABLE' }) as Error,
    );
  });
});
