import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '@switchyard/protocol';
import { secretsOf, systemClock } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Transcript } from '../src/transcript.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-transcript-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (secrets: readonly string[] = [], name = 'one') =>
  new Transcript({ folder, name, clock: systemClock, secrets });

function linesOf({ file }: Transcript): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a transcript', () => {
  it('holds one line an event, readable by its owner only', () => {
    const transcript = open();
    transcript.write({ kind: 'message', text: 'hello\nyou' });
    transcript.write({
      kind: 'tool-call',
      id: '1',
      title: 'write a',
      status: 'completed',
      input: { a: [1] },
    });
    transcript.close();
    expect(linesOf(transcript)).toMatchObject([
      { kind: 'message', text: 'hello\nyou', at: expect.stringMatching(/^2\d{3}-/) as string },
      { kind: 'tool-call', id: '1', input: { a: [1] } },
    ]);
    expect(statSync(transcript.file).mode & 0o077).toBe(0);
  });

  it.each([
    ['a value that is known', 'the value is s3cr3t-value!'],
    ['a key of a provider', 'ANTHROPIC_API_KEY=sk-ant-api03-abcdefghijklmnop'],
    ['a header', 'Authorization: Bearer abcdefghijklmnopqrst'],
    ['a key file', '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----'],
  ])('has no %s', (_what, text) => {
    const transcript = open(['s3cr3t-value!']);
    transcript.write({
      kind: 'tool-call',
      id: '1',
      title: 'x',
      status: 'failed',
      input: { deep: [{ text }] },
    });
    transcript.close();
    const [line] = linesOf(transcript);
    expect(JSON.stringify(line)).toContain('[Redacted]');
    expect(JSON.stringify(line)).not.toMatch(/s3cr3t|abcdefghij|abc\\n/);
  });

  it('keeps the first and the last of one that grows too long, and says what is missing', () => {
    const transcript = open();
    const count = Math.ceil((limits.transcriptBytes * 1.5) / 50_000);
    for (let at = 0; at < count; at += 1)
      transcript.write({ kind: 'output', text: `${at} `.padEnd(50_000, 'x') });
    transcript.close();
    transcript.write({ kind: 'note', text: 'too late' });
    const lines = linesOf(transcript);
    const gap = lines.find(({ kind }) => kind === 'gap') as { lines: number; bytes: number };
    expect(lines.length - 1 + gap.lines).toBe(count);
    expect(gap.bytes).toBeGreaterThan(50_000 * gap.lines);
    expect(lines[0]?.['text']).toMatch(/^0 /);
    expect(lines.at(-1)?.['text']).toMatch(new RegExp(`^${count - 1} `));
    expect(statSync(transcript.file).size).toBeLessThanOrEqual(limits.transcriptBytes + 200);
  });

  it('cuts a text that is too long, and takes the place of the oldest of too many', () => {
    for (let at = 0; at < limits.transcriptsKept + 1; at += 1) {
      writeFileSync(join(folder, `old-${at}.ndjson`), '');
      utimesSync(join(folder, `old-${at}.ndjson`), at + 1, at + 1);
    }
    const transcript = open([], 'new');
    transcript.write({ kind: 'output', text: 'y'.repeat(100_000) });
    transcript.close();
    expect(linesOf(transcript)[0]?.['text']).toMatch(/y … \(100000 signs\)$/);
    const left = readdirSync(folder);
    expect(left).toHaveLength(limits.transcriptsKept);
    expect(left).not.toContain('old-1.ndjson');
    expect(left).toContain('old-2.ndjson');
  });
});

it('what is secret in an environment is told by its names', () => {
  expect(
    secretsOf({
      OPENAI_API_KEY: 'one',
      NPM_TOKEN: 'two',
      DB_PASSWORD: 'three',
      PATH: '/bin',
      KEYBOARD: 'de',
    }),
  ).toEqual(['one', 'two', 'three']);
});
