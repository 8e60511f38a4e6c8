import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { agentTools } from './agent-tools.ts';
import { guardParts } from './guard-parts.ts';
import { guardPaths } from './guard-paths.ts';
import { guardSandbox } from './guard-sandbox.ts';
import { staleness } from './run-mutants.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const all = [...guardPaths, ...guardSandbox, ...guardParts, ...agentTools];

/** The runner is a vitest of its own, so it gets a process of its own. */
function run(...words: string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'test/mutants/main.ts', ...words],
    { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'] } },
  );
  return { lines: stdout.trim().split('\n'), stderr, status };
}

it('every defence of the list is still in the sources, and its tests are there', () => {
  for (const mutant of all) {
    expect(staleness(mutant), mutant.name).toBeUndefined();
    for (const test of mutant.tests) expect(existsSync(join(root, test)), test).toBe(true);
  }
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

it('a mutant counts as killed by a failing test only', () => {
  const { lines, status } = run('proof');
  expect(lines).toEqual([
    'killed    streams of files are fine  (lexical rules > on Windows a.txt:evil -> E_PATH_INVALID)',
    'survived  other words in a comment',
    'broken    no program at all  (Expression expected.)',
    "broken    a name that is nowhere  (Cannot find name 'nowhere'.)",
    'broken    nobody loads it  (no test loads packages/guard/src/forwarder.ts)',
    '1 killed, 4 not',
  ]);
  expect(status).toBe(1);
});

it('some defences, switched off, are missed by a test; npm run mutants -- guard asks for all of them', () => {
  const some = [
    'a plain path counts as opened',
    'what is denied may be read',
    'the file is written in its place',
    'links that lead out are fine',
  ];
  const { lines, stderr, status } = run('guard-paths', ...some.flatMap((name) => ['--only', name]));
  expect(lines.at(-1), stderr).toBe(`${some.length} killed, 0 not`);
  expect(status).toBe(0);
});
