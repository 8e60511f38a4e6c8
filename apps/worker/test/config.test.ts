import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-config-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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
