import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeSnapshot } from '@switchyard/guard';
import { shellWord } from '@switchyard/protocol';
import { runInShell } from '../src/waiting-shell.ts';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);

/** Shells of this process that wait. */
function waiting(): number[] {
  return readdirSync('/proc').filter(isWaiting).map(Number);
}

function isWaiting(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (
      Number(parent) === process.pid &&
      state !== 'Z' &&
      readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '/bin/sh\0-s\0'
    );
  } catch {
    return false; // no process, or it has just ended
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a shell that waits', () => {
  it('does what it is told and says how it ended; another waits then', async () => {
    expect(await runInShell(`echo "$LC_ALL" >${shellWord(ws('said'))}\nexit 7`)).toBe(7);
    expect(readFileSync(ws('said'), 'utf8')).toBe('C\n');
    await nextTurn();
    const [first, ...more] = waiting();
    expect(more).toEqual([]);
    expect(await runInShell(`echo $$ >${shellWord(ws('pid'))}`)).toBe(0);
    expect(Number(readFileSync(ws('pid'), 'utf8'))).toBe(first);
  });

  it('serves several at once, each by one of its own', async () => {
    const lines = ['a', 'b', 'c'].map((name) => `echo $$ >${shellWord(ws(name))}`);
    expect(await Promise.all(lines.map(runInShell))).toEqual([0, 0, 0]);
    expect(new Set(['a', 'b', 'c'].map((name) => readFileSync(ws(name), 'utf8'))).size).toBe(3);
  });

  it('says when it was killed, and is no hindrance when that was while it waited', async () => {
    expect(await runInShell('kill -9 $$')).toBeNull();
    await nextTurn();
    for (const pid of waiting()) process.kill(pid, 'SIGKILL');
    writeFileSync(ws('file'), '');
    const { entries } = await takeSnapshot(scene.workspace);
    expect([...entries.keys()]).toEqual(['file']);
    expect(await runInShell('exit 3')).toBe(3);
  });

  it('takes any word for what it is', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((word) => !word.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), async (words) => {
        const line = `printf '%s\\0' ${words.map(shellWord).join(' ')} >${shellWord(ws('words'))}`;
        expect(await runInShell(line)).toBe(0);
        expect(readFileSync(ws('words'), 'utf8')).toBe(words.map((word) => `${word}\0`).join(''));
      }),
      { numRuns: 60 },
    );
  });
});
