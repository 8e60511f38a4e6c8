import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asOrdinaryUser } from './ordinary-user.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-runtime-'));
});
afterEach(() => removeTree(folder));

const filled = (): string => join(folder, 'filled');
const run = (script: string): void => {
  mkdirSync(filled());
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: filled(), encoding: 'utf8' });
  expect(status, stderr).toBe(0);
};

describe('a folder that commands filled', () => {
  it('is removed though its owner may not look into it, and what its links name stays', async () => {
    chmodSync(folder, 0o777);
    const kept = join(folder, 'kept');
    const filled = join(folder, 'filled');
    await asOrdinaryUser(async () => {
      mkdirSync(join(filled, 'closed/deep'), { recursive: true });
      writeFileSync(join(filled, 'closed/deep/file'), 'x');
      mkdirSync(kept);
      writeFileSync(join(kept, 'file'), 'x');
      symlinkSync(kept, join(filled, 'link'));
      chmodSync(join(filled, 'closed/deep'), 0o500);
      chmodSync(join(filled, 'closed'), 0);
      chmodSync(kept, 0o500);
      await removeTree(filled);
      expect(existsSync(filled)).toBe(false);
      await removeTree(filled);
    });
    expect(readFileSync(join(kept, 'file'), 'utf8')).toBe('x');
    chmodSync(kept, 0o700);
  });

  it('is removed though folders are nested deeper than a path may be long', async () => {
    run(`const name = 'd'.repeat(200);
      for (let depth = 0; depth < 60; depth += 1) { fs.mkdirSync(name); fs.writeFileSync('f', ''); process.chdir(name); }`);
    await removeTree(filled());
    expect(existsSync(filled())).toBe(false);
  });

  it('is removed though much of it is closed, at many places, by names that are no text', async () => {
    chmodSync(folder, 0o777);
    await asOrdinaryUser(async () => {
      run(`for (let at = 0; at < 50; at += 1) {
        fs.mkdirSync(at + '/a/b', { recursive: true });
        fs.writeFileSync(Buffer.concat([Buffer.from(at + '/a/b/'), Buffer.from([0xff, 0xfe])]), '');
        for (const path of ['/a/b', '/a', '']) fs.chmodSync(at + path, 0);
      }
      fs.mkdirSync('open');
      fs.writeFileSync('open/file', '');`);
      await removeTree(filled());
      expect(existsSync(filled())).toBe(false);
    });
  });
});
