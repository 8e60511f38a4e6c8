import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox } from '@switchyard/guard';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOptions } from './scene.ts';

const before = process.env['TMPDIR'];
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-stale-'));
  process.env['TMPDIR'] = root;
});
afterAll(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(root, { recursive: true, force: true });
});

it('a start takes away what starts that were killed long ago left of their self-test, and nothing else', async () => {
  const longAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
  const folder = (name: string): string => {
    const path = join(root, name);
    mkdirSync(join(path, 'workspace'), { recursive: true });
    writeFileSync(join(path, 'workspace', 'written'), 'yes');
    return path;
  };
  const stale = folder('switchyard-self-test-aaaaaa');
  const fresh = folder('switchyard-self-test-bbbbbb');
  const others = folder('switchyard-self-test-of-somebody');
  const target = folder('target');
  const link = join(root, 'switchyard-self-test-cccccc');
  symlinkSync(target, link);
  for (const path of [stale, others, target]) utimesSync(path, longAgo, longAgo);

  await (await openSandbox(openOptions())).close();

  expect(existsSync(stale)).toBe(false);
  for (const path of [fresh, others, link, join(target, 'workspace', 'written')])
    expect(existsSync(path)).toBe(true);
});
