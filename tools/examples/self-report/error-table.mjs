// generated/errors/: every error code as a typed module, with its test, and docs/errors.md for people.
// Run with tsx, since it imports the contract itself: node --import tsx tools/examples/self-report/error-table.mjs
import { errorTable, exitCodes } from '@switchyard/protocol';
import { table, writePage } from './page.mjs';

const rows = Object.entries(errorTable).map(([code, { exit, next, text }]) => ({
  code,
  exit: exitCodes[exit].code,
  next,
  text,
}));
const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

writePage('generated/errors/error-table.ts', [
  '/** One operating error: the exit code it leads to, and what happens next. */',
  'export interface ErrorEntry {',
  '  readonly code: string;',
  '  readonly exit: number;',
  "  readonly next: 'never' | 'later' | 'now';",
  '}',
  '',
  '/** Every error code of Switchyard, in the order of the contract. */',
  'export const errorEntries: readonly ErrorEntry[] = [',
  ...rows.map(({ code, exit, next }) => `  { code: ${quoted(code)}, exit: ${exit}, next: ${quoted(next)} },`),
  '];',
]);
writePage('generated/errors/error-table.test.ts', [
  "import assert from 'node:assert/strict';",
  "import { test } from 'node:test';",
  "import { errorEntries } from './error-table.ts';",
  '',
  "test('names every code once', () => {",
  `  assert.equal(errorEntries.length, ${rows.length});`,
  '  assert.equal(new Set(errorEntries.map((entry) => entry.code)).size, errorEntries.length);',
  '});',
  '',
  "test('leads every error to an exit code that is not success', () => {",
  '  for (const entry of errorEntries) assert.ok(entry.exit > 0 && entry.exit < 256, entry.code);',
  '});',
]);
writePage('docs/errors.md', [
  '# Error codes',
  '',
  ...table(
    ['code', 'exit code', 'what it means'],
    rows.map(({ code, exit, text }) => [`\`${code}\``, exit, text]),
  ),
]);
