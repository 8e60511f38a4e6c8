import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LogFilter } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogFiles } from '../src/log-files.ts';
import type { LogLine } from '../src/ports.ts';
import { peer } from './fakes.ts';

let folder: string;
let logs: LogFiles;
let closers: (() => void)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-logs-'));
  logs = new LogFiles(folder, silentLogger());
  closers = [];
});
afterEach(() => {
  for (const close of closers) close();
  rmSync(folder, { recursive: true, force: true });
});

let seconds = 0;
/** One pino line; each is a second later than the one before. */
function line(fields: Record<string, unknown> = {}): string {
  seconds += 1;
  return JSON.stringify({
    level: 30,
    time: new Date(seconds * 1000).toISOString(),
    msg: `m${seconds}`,
    ...fields,
  });
}

function write(name: string, ...lines: string[]): void {
  appendFileSync(join(folder, name), lines.map((one) => `${one}\n`).join(''));
}

async function tail(filter: LogFilter = {}, count = 100): Promise<readonly LogLine[]> {
  return (await logs.open({ filter, tail: count })).lines;
}

/** Follows, and gives the lines that came so far. */
async function follow(filter: LogFilter = {}, count = 0): Promise<string[]> {
  const came: string[] = [];
  const feed = await logs.open({ filter, tail: count, onLine: (one) => came.push(one.line) });
  closers.push(feed.close);
  came.unshift(...feed.lines.map((one) => one.line));
  return came;
}

describe('the last lines', () => {
  it('of all daemons come in the order of their times, with their daemons', async () => {
    const [one, two, three] = [line(), line(), line()];
    write('worker-1.1.ndjson', two);
    write('orchestrator.1.ndjson', one, three);
    write('notes.txt', 'not a log');
    expect(await tail()).toEqual([
      { daemon: 'orchestrator', line: one },
      { daemon: 'worker-1', line: two },
      { daemon: 'orchestrator', line: three },
    ]);
    expect((await tail({}, 2)).map((each) => each.line)).toEqual([two, three]);
    expect(await tail({}, 0)).toEqual([]);
  });

  it.each([
    ['a run', { run: 'r1' }, ['m1', 'm2']],
    ['a task', { taskId: 'a' }, ['m1', 'm3']],
    ['a worker, as the one that speaks or is spoken of', { worker: 'worker-1' }, ['m2', 'm4']],
    ['a level and above', { level: 'warn' }, ['m3']],
    ['all of it', { run: 'r1', taskId: 'a' }, ['m1']],
  ] as const)('of %s', async (_name, filter, messages) => {
    write(
      'orchestrator.1.ndjson',
      line({ run: 'r1', task: 'a', msg: 'm1' }),
      line({ run: 'r1', task: 'b', worker: 'worker-1', msg: 'm2' }),
      line({ run: 'r2', task: 'a', level: 50, msg: 'm3' }),
      line({ daemon: 'worker-1', level: 20, msg: 'm4' }),
      'null',
      '"text"',
      '7',
      '{"half":',
    );
    const found = (await tail(filter)).map((each) => (JSON.parse(each.line) as { msg: string }).msg);
    expect(found).toEqual(messages);
  });

  it('of a large file are those at its end, and no part of a line', async () => {
    const big = Array.from({ length: 40_000 }, (_, place) => JSON.stringify({ level: 30, place }));
    write('worker-1.1.ndjson', ...big.map((each) => each.padEnd(100)), line());
    const found = await tail({}, 10_000);
    expect(found).toHaveLength(10_000);
    for (const { line: text } of found) expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(found.at(-1)?.line).toContain(`m${seconds}`);
  });

  it('fit into one answer', async () => {
    write('worker-1.1.ndjson', ...Array.from({ length: 300 }, () => line({ blob: 'x'.repeat(15_000) })));
    write('worker-2.1.ndjson', ...Array.from({ length: 300 }, () => line({ blob: 'x'.repeat(15_000) })));
    write('worker-3.1.ndjson', ...Array.from({ length: 300 }, () => line({ blob: 'x'.repeat(15_000) })));
    const found = await tail({}, 10_000);
    expect(found.reduce((sum, each) => sum + each.line.length, 0)).toBeLessThan(4 * 1024 * 1024 + 1);
    expect(found.at(-1)?.line).toContain(`m${seconds}`);
  });
});

describe('following', () => {
  it('gives what is written from then on, and nothing twice', async () => {
    const [before, after] = [line(), line()];
    write('worker-1.1.ndjson', before);
    const came = await follow({}, 10);
    write('worker-1.1.ndjson', after);
    write('worker-2.1.ndjson', 'of a new file');
    await vi.waitFor(
      () => expect(came.toSorted()).toEqual([before, after, 'of a new file'].toSorted()),
      60_000,
    );
  });

  it('waits for the other half of a line', async () => {
    const whole = line();
    writeFileSync(join(folder, 'worker-1.1.ndjson'), `${line()}\n${whole.slice(0, 20)}`);
    const came = await follow();
    appendFileSync(join(folder, 'worker-1.1.ndjson'), whole.slice(20, 30));
    write('worker-2.1.ndjson', 'a mark');
    await vi.waitFor(() => expect(came).toEqual(['a mark']), 60_000);
    appendFileSync(join(folder, 'worker-1.1.ndjson'), `${whole.slice(30)}\n`);
    await vi.waitFor(() => expect(came).toEqual(['a mark', whole]), 60_000);
  });

  it('goes on over rotation by a new file, by a new name, and by a new beginning', async () => {
    const name = join(folder, 'worker-1.1.ndjson');
    write('worker-1.1.ndjson', line());
    const came = await follow();
    const wanted: string[] = [];
    const say = (file: string): void => {
      const text = line();
      write(file, text);
      wanted.push(text);
    };
    say('worker-1.1.ndjson');
    await vi.waitFor(() => expect(came).toEqual(wanted), 60_000);
    say('worker-1.2.ndjson');
    await vi.waitFor(() => expect(came).toEqual(wanted), 60_000);
    renameSync(name, join(folder, 'worker-1.0.ndjson'));
    say('worker-1.1.ndjson');
    await vi.waitFor(() => expect(came).toEqual(wanted), 60_000);
    truncateSync(name, 0);
    await new Promise((resolve) => setTimeout(resolve, 50)); // the kernel tells of both
    say('worker-1.1.ndjson');
    await vi.waitFor(() => expect(came).toEqual(wanted), 60_000);
    rmSync(name);
    say('worker-1.3.ndjson');
    await vi.waitFor(() => expect(came).toEqual(wanted), 60_000);
  });

  it('takes a burst whole, and leaves out what is no line', async () => {
    const came = await follow({ worker: 'w' });
    const burst = Array.from({ length: 5_000 }, (_, place) => JSON.stringify({ daemon: 'w', place }));
    write('w.1.ndjson', ...burst.slice(0, 2_500), 'x'.repeat(700_000), ...burst.slice(2_500));
    await vi.waitFor(() => expect(came).toHaveLength(5_000), 60_000);
    expect(came).toEqual(burst);
  });

  it('ends when it is closed', async () => {
    const came: string[] = [];
    const feed = await logs.open({ filter: {}, tail: 0, onLine: (one) => came.push(one.line) });
    feed.close();
    write('worker-1.1.ndjson', line());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(came).toEqual([]);
  });
});

describe('lines of other machines', () => {
  it('are kept under the name of their peer, whatever it is called', async () => {
    const came = await follow();
    logs.receive(peer('worker-9'), '{"level":30,\n"msg":"two lines"}');
    logs.receive(peer('worker-9'), '{"level":30}');
    await vi.waitFor(() => expect(came).toEqual(['{"level":30, "msg":"two lines"}', '{"level":30}']), 60_000);
    expect(readdirSync(folder)).toEqual(['worker-9.remote.ndjson']);
    expect((await tail()).map(({ daemon }) => daemon)).toEqual(['worker-9', 'worker-9']);
  });

  it('never fill the disk, and a follower misses none over the change of files', async () => {
    writeFileSync(join(folder, 'worker-9.remote.ndjson'), `${'x'.repeat(99)}\n`.repeat(110_000));
    const came = await follow();
    logs.receive(peer('worker-9'), 'first of the new file');
    await vi.waitFor(() => expect(came).toEqual(['first of the new file']), 60_000);
    expect(readdirSync(folder).toSorted()).toEqual(['worker-9.remote.1.ndjson', 'worker-9.remote.ndjson']);
    expect(readFileSync(join(folder, 'worker-9.remote.ndjson'), 'utf8')).toBe('first of the new file\n');
  });

  it('that come faster than the disk are dropped, not kept in memory', async () => {
    for (let count = 0; count < 10_000; count += 1) logs.receive(peer('worker-9'), `line ${count}`);
    await vi.waitFor(async () => expect((await tail({}, 10_000)).length).toBeGreaterThan(0), 60_000);
    const kept = await tail({}, 10_000);
    expect(kept.length).toBeLessThan(5_000);
    expect(kept[0]?.line).toBe('line 0');
  });
});
