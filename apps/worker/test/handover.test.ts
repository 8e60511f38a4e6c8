import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handoverFile, readHandover } from '../src/handover.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-handover-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string): void => writeFileSync(handoverFile(folder), text);

describe('what an attempt leaves for those who depend on it', () => {
  it('is nothing where it wrote nothing', () => {
    expect(readHandover(folder)).toBeUndefined();
    write('');
    expect(readHandover(folder)).toBeUndefined();
  });

  it('is read whole', () => {
    const found = { severity: 'minor', category: 'style', description: 'long lines', references: [] };
    write(JSON.stringify({ findings: [found], blockers: ['no key'] }));
    expect(readHandover(folder)).toEqual({
      findings: [found],
      blockers: ['no key'],
      features: [],
      followUps: [],
    });
  });

  it.each([
    ['no JSON', '{', /no JSON/],
    ['a list', '[]', /the whole: /],
    ['an unknown field', '{"blocker": []}', /Unrecognized key/],
    [
      'a finding without a severity',
      '{"findings": [{"category": "x", "description": "y"}]}',
      /findings\.0\.severity/,
    ],
    ['too many', JSON.stringify({ blockers: Array(51).fill('x') }), /blockers: /],
    ['too much', JSON.stringify({ blockers: ['x'.repeat(1024 * 1024)] }), /over 1048576/],
  ])('is refused where it is %s', (_what, text, fault) => {
    write(text);
    expect(() => readHandover(folder)).toThrow(
      expect.objectContaining({ code: 'E_HANDOVER_INVALID' }) as Error,
    );
    expect(() => readHandover(folder)).toThrow(fault);
  });

  it('is not looked for behind a link', () => {
    symlinkSync('/etc/passwd', handoverFile(folder));
    expect(() => readHandover(folder)).toThrow(/no plain file/);
  });
});
