import { closeSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PrivateFiles } from '../src/private-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'private-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it('files that commands are told have no name, are read from their start each time, and cannot be written', () => {
  const files = new PrivateFiles({ passwd: 'agent', group: 'agents' });
  expect(readdirSync(folder)).toEqual([]);
  for (let times = 0; times < 2; times += 1) {
    const descriptor = files.open('group');
    expect(() => writeSync(descriptor, 'x')).toThrow(/EBADF/);
    expect(readFileSync(descriptor, 'utf8')).toBe('agents');
    closeSync(descriptor);
  }
  files.close();
});
