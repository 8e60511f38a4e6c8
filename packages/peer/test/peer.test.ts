import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  givenToken,
  logRelay,
  perAddress,
  placeOfUrl,
  readOrchestratorFile,
  remotePrefix,
  takePeerFolder,
  Tokens,
} from '@switchyard/peer';
import { peerId } from '@switchyard/protocol';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-peer-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a peer folder', () => {
  it('gives the first free name, and the same again once it is free', () => {
    const take = (name?: string) => takePeerFolder({ folder, name, prefix: 'worker', role: 'worker' });
    const first = take();
    const second = take();
    expect([first.peer, second.peer]).toEqual(['worker-1', 'worker-2']);
    expect(() => take('worker-2')).toThrow(/is the worker worker-2 already/);
    first.release();
    expect(take().peer).toBe('worker-1');
    expect(take('anna').peer).toBe('anna');
    expect(() => take('../x')).toThrow(/--name/);
  });

  it('is named after its machine where the hub is another one, the same each time', () => {
    const prefix = remotePrefix('worker', folder, systemRandom);
    expect(prefix).toMatch(/^worker-[A-Za-z0-9._-]+-[a-z2-7]{5}$/);
    expect(remotePrefix('worker', folder, systemRandom)).toBe(prefix);
  });
});

describe('the token', () => {
  it('is the given one, else the kept one, else the one of the state folder', () => {
    const keptFile = join(folder, 'kept');
    const stateFile = join(folder, 'token');
    const tokens = (given?: string) => new Tokens({ given, keptFile, stateFile });
    expect(() => tokens().current()).toThrow(expect.objectContaining({ code: 'E_UNREACHABLE' }));
    writeFileSync(stateFile, 'operator\n');
    expect(tokens().current()).toBe('operator');
    expect(tokens('once').current()).toBe('once');
    tokens('once').keep('lasting');
    expect(statSync(keptFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(keptFile, 'utf8')).not.toContain('once');
    expect(tokens('once').current(), 'the invitation is used up').toBe('lasting');
    expect(tokens().current()).toBe('lasting');
    expect(tokens('another invitation').current()).toBe('another invitation');
  });

  it('is read from its file without the line break, and the environment wins', () => {
    const tokenFile = join(folder, 'invitation');
    writeFileSync(tokenFile, 'once\n');
    expect(givenToken({ token: undefined, tokenFile })).toBe('once');
    expect(givenToken({ token: 'env', tokenFile })).toBe('env');
    expect(givenToken({ token: undefined })).toBeUndefined();
    expect(() => givenToken({ token: undefined, tokenFile: join(folder, 'none') })).toThrow(/--token-file/);
  });

  it('must come from somewhere', () => {
    const tokens = new Tokens({ given: undefined, keptFile: join(folder, 'kept'), stateFile: undefined });
    expect(() => tokens.current()).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
  });
});

describe('the place of the hub', () => {
  it('is read from the file of the orchestrator, and is nowhere while that is not there or half written', () => {
    const file = join(folder, 'orchestrator.json');
    expect(readOrchestratorFile(file)).toBeUndefined();
    writeFileSync(file, '{"url":');
    expect(readOrchestratorFile(file)).toBeUndefined();
    writeFileSync(
      file,
      JSON.stringify({ pid: process.pid, startedTicks: 0, url: 'ws://h:1/hub', httpUrl: 'http://h:1' }),
    );
    expect(readOrchestratorFile(file)).toEqual({ url: 'ws://h:1/hub', httpUrl: 'http://h:1' });
  });

  it('follows from its address', () => {
    expect(placeOfUrl('wss://host:7420/hub', 'sha256:aa')).toMatchObject({ httpUrl: 'https://host:7420' });
  });
});

describe('what depends on the address', () => {
  it('is opened once a pinned address, and again after it could not be opened', async () => {
    let place = placeOfUrl('wss://a:1/hub', 'sha256:aa');
    const opened: string[] = [];
    let broken = true;
    const get = perAddress(
      () => place,
      ({ httpUrl }) => {
        opened.push(httpUrl);
        return broken ? Promise.reject(new Error('not yet')) : Promise.resolve(httpUrl);
      },
    );
    await expect(get()).rejects.toThrow('not yet');
    broken = false;
    expect(await get()).toBe('https://a:1');
    expect(await get()).toBe('https://a:1');
    place = placeOfUrl('wss://b:2/hub', 'sha256:aa');
    expect(await get()).toBe('https://b:2');
    expect(opened).toEqual(['https://a:1', 'https://a:1', 'https://b:2']);
  });
});

describe('what asks for the address at each use', () => {
  it('is opened once on the loopback, wherever the orchestrator comes back', async () => {
    let place = placeOfUrl('ws://127.0.0.1:1/hub', undefined);
    let opened = 0;
    const get = perAddress(
      () => place,
      () => Promise.resolve((opened += 1)),
    );
    await get();
    place = placeOfUrl('ws://127.0.0.1:2/hub', undefined);
    expect(await get()).toBe(1);
  });
});

describe('the log relay', () => {
  it('tells from info up, and not what the telling itself logs', () => {
    const relay = logRelay(peerId.parse('worker-1'));
    const told: string[] = [];
    relay.tap('{"level":30,"msg":"too early"}\n');
    relay.connect({
      relayLog: (_, line) => {
        told.push(line);
        relay.tap('{"level":50,"msg":"sending"}\n');
      },
    });
    relay.tap('{"level":20,"msg":"debug"}\n');
    relay.tap('{"level":30,"msg":"info"}\n');
    relay.connect({
      relayLog: () => {
        throw new Error('the lane is full');
      },
    });
    relay.tap('{"level":50,"msg":"lost"}\n');
    expect(told).toEqual(['{"level":30,"msg":"info"}']);
  });
});
