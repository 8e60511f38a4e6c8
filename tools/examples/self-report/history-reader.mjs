// generated/history/read-history.ts: a small module that reads the commits of a folder, for the changelog.
//
// This stands for an agent whose first draft is not good enough. The draft puts its argument into a line for the
// shell; the security review rejects that. In the next round the findings are in the file that
// $SWITCHYARD_FEEDBACK names (an empty list in the first round), and the module starts git without a shell.
import { readFileSync } from 'node:fs';
import { writePage } from './page.mjs';

const feedbackFile = process.env.SWITCHYARD_FEEDBACK;
const findings = feedbackFile === undefined ? [] : JSON.parse(readFileSync(feedbackFile, 'utf8'));
const isAboutShell = findings.some(
  ({ rule, file }) => /shell/.test(rule ?? '') && /read-history/.test(file ?? ''),
);
for (const { file, line, description } of findings) console.log(`to mend: ${file}:${line} ${description}`);

const withShell = {
  imports: "import { execSync } from 'node:child_process';",
  call: [
    '  const text = execSync(`git log --reverse --format=%H%x09%cs%x09%s -- ${folder}`, { encoding: "utf8" });',
  ],
};
const withoutShell = {
  imports: "import { execFileSync } from 'node:child_process';",
  call: [
    "  const args = ['log', '--reverse', '--format=%H%x09%cs%x09%s', '--', folder];",
    "  const text = execFileSync('git', args, { encoding: 'utf8' });",
  ],
};
const { imports, call } = isAboutShell ? withoutShell : withShell;

writePage('generated/history/read-history.ts', [
  imports,
  '',
  '/** One commit, as `git log` tells it. */',
  'export interface HistoryEntry {',
  '  readonly commit: string;',
  '  /** Day of the commit, `2026-01-31`. */',
  '  readonly day: string;',
  '  readonly subject: string;',
  '}',
  '',
  '/** The commits that changed a folder of the repository we stand in, oldest first. */',
  'export function readHistory(folder: string): HistoryEntry[] {',
  ...call,
  '  return parseHistory(text);',
  '}',
  '',
  '/** Takes the lines of `git log` apart: commit, day and subject with tabs between. */',
  'export function parseHistory(text: string): HistoryEntry[] {',
  "  const lines = text.split('\\n').filter((line) => line !== '');",
  '  return lines.map((line) => {',
  "    const [commit = '', day = '', ...subject] = line.split('\\t');",
  "    return { commit, day, subject: subject.join(' ') };",
  '  });',
  '}',
]);
writePage('generated/history/read-history.test.ts', [
  "import assert from 'node:assert/strict';",
  "import { test } from 'node:test';",
  "import { parseHistory } from './read-history.ts';",
  '',
  "test('takes a line of the history apart, tabs in the subject too', () => {",
  "  const entries = parseHistory('abc\\t2026-01-31\\tFirst\\tstep\\n\\n');",
  "  assert.deepEqual(entries, [{ commit: 'abc', day: '2026-01-31', subject: 'First step' }]);",
  '});',
]);
