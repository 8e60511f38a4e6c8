import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { placeOfUrl, readOrchestratorFile, Tokens } from '../src/hub-place.ts';
import { remotePrefix, takePeerFolder } from '../src/peer-folder.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-peer-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a peer folder', () => {
  it('gives the first free name, and the same again once it is free', () => {
    const take = (name?: string) => takePeerFolder({ folder, name, prefix: 'worker' });
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
    const prefix = remotePrefix(folder, systemRandom);
    expect(prefix).toMatch(/^worker-[A-Za-z0-9._-]+-[a-z2-7]{5}$/);
    expect(remotePrefix(folder, systemRandom)).toBe(prefix);
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
    writeFileSync(file, JSON.stringify({ pid: 1, url: 'ws://h:1/hub', httpUrl: 'http://h:1' }));
    expect(readOrchestratorFile(file)).toEqual({ url: 'ws://h:1/hub', httpUrl: 'http://h:1' });
  });

  it('follows from its address', () => {
    expect(placeOfUrl('wss://host:7420/hub', 'sha256:aa')).toMatchObject({ httpUrl: 'https://host:7420' });
  });
});

describe('the configuration', () => {
  it('takes flags over the environment, and the token from the environment only', () => {
    const env = { SWITCHYARD_TOKEN: 't', SWITCHYARD_SLOTS: '3', SWITCHYARD_STATE: '/all', HOME: folder };
    const config = readConfig(['--slots', '2', '--labels', 'gpu, big'], env);
    expect(config).toMatchObject({ token: 't', slots: 2, labels: ['gpu', 'big'], sandbox: 'auto' });
    expect(config.state, 'SWITCHYARD_STATE is the root of all state folders').toBeUndefined();
    expect(() => readConfig(['--token', 'x'], env)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(() => readConfig(['--hub', 'http://x'], env)).toThrow(/ws:\/\//);
  });

  it('passes registries and proxies on to set-ups, and no secrets', () => {
    writeFileSync(
      join(folder, '.npmrc'),
      '//r.example/:_authToken=secret\nregistry=https://r.example/npm/\n',
    );
    const env = { HOME: folder, HTTPS_PROXY: 'http://p', AWS_SECRET_ACCESS_KEY: 'x' };
    expect(readConfig([], env).networkEnv).toEqual({
      npm_config_registry: 'https://r.example/npm/',
      HTTPS_PROXY: 'http://p',
    });
  });
});
