import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanSql, sqlChecks, staticEngines } from '@switchyard/analyzers';
import { plainScan } from './plain-run.ts';
import { specializations } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const pairs = z
  .array(z.object({ id: z.string(), path: z.string(), flawed: z.string(), good: z.string() }))
  .parse(parse(readFileSync(join(import.meta.dirname, 'fixtures', 'pairs', 'sql.yml'), 'utf8')));
const rules = (text: string, path = 'migrations/1.sql') =>
  scanSql({ path, text }, specializations).map(({ rule }) => rule?.replace('sql/', ''));

describe('SQL', () => {
  // The last is about the history of a file, which the text alone does not tell.
  it.each(pairs.filter(({ id }) => id !== 'applied-migration-edited'))(
    '$id: the flaw is told, its twin is not',
    ({ path, flawed, good }) => {
      expect(rules(flawed, path)).not.toEqual([]);
      expect(rules(good, path)).toEqual([]);
    },
  );

  it('has a flaw among the pairs for each check', () => {
    const told = new Set(pairs.flatMap(({ path, flawed }) => rules(flawed, path)));
    expect(sqlChecks.map(({ id }) => id).filter((id) => !told.has(id))).toEqual([]);
  });

  it('is looked at for each specialization that has a check', () => {
    const text = staticEngines({ start: plainScan, isShared: true }).find(({ name }) => name === 'text');
    expect(text?.specializations).toEqual(
      expect.arrayContaining(sqlChecks.map(({ specialization }) => specialization)),
    );
  });

  it('is told where the statement stands, whatever comes before it', () => {
    const text = "-- DROP; it\n/* a; b */\nSELECT ';' , $x$ ; $x$;\n\n-- then\nUPDATE a\n  SET b = 1;\n";
    expect(scanSql({ path: 'a.sql', text }, specializations)).toMatchObject([
      { line: 6, endLine: 7, rule: 'sql/every-row-written' },
    ]);
  });

  it('lets new tables, other databases, comments and other files be', () => {
    const index = 'CREATE INDEX i ON t (a);';
    expect(rules(index)).toEqual(['index-locks-writes']);
    expect(rules(`CREATE TABLE t (a int);\n${index}`)).toEqual([]);
    expect(rules(index, 'sqlite/1.sql')).toEqual([]);
    expect(rules(`-- ${index}`)).toEqual([]);
    expect(rules(index, 'notes.txt')).toEqual([]);
  });
});
