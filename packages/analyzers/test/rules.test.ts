import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRules, scanSyntax } from '@switchyard/analyzers';
import { parse } from 'yaml';
import { z } from 'zod';

const fixture = z.strictObject({
  path: z.string().default('src/thing.ts'),
  invalid: z.array(z.string()).min(1),
  valid: z.array(z.string()).min(1),
});
const rules = loadRules();
const folder = join(import.meta.dirname, 'fixtures', 'rules');

describe('our own rules', () => {
  it('are at least thirty, each with an id of its own', () => {
    expect(rules.length).toBeGreaterThanOrEqual(30);
    expect(new Set(rules.map((rule) => rule.id)).size).toBe(rules.length);
  });

  it.each(rules.map((rule) => [`${rule.specialization}/${rule.id}`, rule] as const))('%s', (name, rule) => {
    const file = join(folder, `${name}.yml`);
    expect(existsSync(file), `${name} has no fixture`).toBe(true);
    const { path, invalid, valid } = fixture.parse(parse(readFileSync(file, 'utf8')));
    const hits = (text: string): number => scanSyntax({ path, text }, [rule.specialization], [rule]).length;
    for (const text of invalid) expect(hits(text), `should find: ${text}`).toBeGreaterThan(0);
    for (const text of valid) expect(hits(text), `should not find: ${text}`).toBe(0);
    for (const other of ['src/a.ts', 'src/a.tsx', 'src/a.mjs'])
      expect(() => scanSyntax({ path: other, text: '' }, [rule.specialization], [rule])).not.toThrow();
    if (rule.not.includes('tests'))
      expect(
        scanSyntax({ path: 'test/a.test.ts', text: invalid[0] ?? '' }, [rule.specialization], [rule]),
      ).toEqual([]);
  });
});
