import { AppError, commitId, fence, finding, peerId, shellWord, unknownTask } from '@switchyard/protocol';
import pc from 'picocolors';
import { describe, expect, it, vi } from 'vitest';
import { appliedLines } from '../src/commands/apply.ts';
import { invitationCommand } from '../src/commands/invite.ts';
import { errorFromText, matchRun } from '@switchyard/access';
import { logText } from '../src/log-text.ts';
import { endingOf } from '../src/problem-text.ts';
import { ReviewProgress } from '../src/review-progress.ts';
import { closingLines, findingLines } from '../src/run-summary.ts';
import { viewLines } from '../src/view-text.ts';
import { taskLines } from '../src/task-text.ts';
import { cutTo, durationText, foldText, oneLine, plainLines, tableText } from '../src/show-text.ts';
import type { Terminal } from '../src/terminal.ts';
import { viewOf } from './stand-in-hub.ts';

describe('texts', () => {
  it('what a review is at counts one file as one', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const written: string[] = [];
    const terminal = { err: (text: string) => written.push(text) } as unknown as Terminal;
    const progress = new ReviewProgress(terminal, true);
    progress.engine('text');
    vi.advanceTimersByTime(1_000);
    progress.file();
    vi.useRealTimers();
    expect(written.at(-1)).toBe('\r\u001B[K  text: 1 file');
  });

  it.each([
    [-5, '0s'],
    [400, '0.4s'],
    [9_950, '9.9s'],
    [59_600, '1m00s'],
    [125_000, '2m05s'],
    [3_725_000, '1h02m'],
  ])('a duration of %d ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('a table has columns of equal width', () => {
    expect(
      tableText([
        ['a', 'bb', 'x'],
        ['aaa', '', 'y'],
      ]),
    ).toEqual(['a    bb  x', 'aaa      y']);
  });

  it('a table on a screen: what has no room goes on below, and words are folded, commands are not', () => {
    const rows = [
      ['run', 'state', 'started', ''],
      ['hello-abcdef', 'failed', '2026-11-30 20:50', 'the command ended with exit code 3'],
      ['other-abcdef', 'completed', '2026-11-30 20:51', ''],
    ];
    expect(tableText(rows, { width: 48 })).toEqual([
      'run           state      started',
      'hello-abcdef  failed     2026-11-30 20:50\n    the command ended with exit code 3',
      'other-abcdef  completed  2026-11-30 20:51',
    ]);
    expect(tableText(rows, { width: 30 })).toEqual([
      'run           state\n    started',
      'hello-abcdef  failed\n    2026-11-30 20:50\n    the command ended with\n    exit code 3',
      'other-abcdef  completed\n    2026-11-30 20:51',
    ]);
    expect(tableText([['a', 'one two three four five']], { width: 23, isTyped: true })).toEqual([
      'a\n    one two three four five',
    ]);
    expect(foldText('say `npm install a b c d` or not', 20)).toEqual([
      'say',
      '`npm install a b c d`',
      'or not',
    ]);
  });

  it('letters of East Asia take two columns of a table, accents above others none', () => {
    expect(
      tableText([
        ['日本語', 'x'],
        ['e\u0301te', 'y'],
      ]),
    ).toEqual(['日本語  x', 'e\u0301te     y']);
    expect(cutTo('日本語です', 5)).toBe('日本…');
  });

  it('what a task printed stands behind a bar, without what moves the cursor', () => {
    const [task] = viewOf().tasks;
    if (task === undefined) throw new Error('a run without tasks');
    const attempt = {
      ...{ attempt: 1, fence: fence.parse(1), round: 1, worker: peerId.parse('w1'), leasedAt: 0 },
      ...{ endedAt: 2_000, outcome: 'accepted' as const, receipts: [], reviews: [] },
      outputTail: '\u001B[31mred\u001B[0m\r\n\nits log: forged\u0007\n',
    };
    const tried = { id: task.id, attempts: [attempt], filesChanged: [] };
    const lines = taskLines(
      { run: 'demo-abcdef', task, tried },
      { paint: pc.createColors(false), width: Infinity },
    );
    expect(lines).toEqual([
      '· a  pending',
      '',
      'attempt 1: accepted, w1, 2.0s',
      '  │ red',
      '  │',
      '  │ its log: forged\u{fffd}',
      '',
      'its log: switchyard logs --run demo-abcdef --task a',
    ]);
  });

  it('a run or a task that is not there is told with the one that may be meant', () => {
    expect(() => matchRun(['hello-abcdef', 'other-abcdef'], 'helo')).toThrow('did you mean hello-abcdef?');
    expect(() => matchRun(['hello-abcdef'], '')).toThrow('the name of the run is empty');
    expect(() => matchRun(['hello-abcdef'], 'xyz')).toThrow('there is no run xyz; `switchyard runs`');
    expect(unknownTask('r', 'gret', ['greet', 'shout']).message).toBe(
      'run r has no task gret; did you mean greet?',
    );
    expect(unknownTask('r', 'x', ['greet', 'shout']).message).toBe(
      'run r has no task x; it has greet, shout',
    );
  });

  it('a run names the case files of its parked tasks, with their folder where that is known', () => {
    const parked = viewOf();
    const file = 'runs/demo-abcdef/case-1-a.md';
    const view = {
      ...parked,
      tasks: parked.tasks.map((task, at) => (at === 0 ? { ...task, caseFile: file } : task)),
    };
    const lines = (stateFolder?: string) =>
      viewLines(view, { paint: pc.createColors(false), isServed: true, stateFolder });
    const found = lines('/state').indexOf('case files');
    expect(lines('/state')[found + 1]).toBe(`  a  /state/${file}`);
    expect(lines()[found + 1]).toBe(`  a  ${file} in the state folder`);
    expect(viewLines(parked, { paint: pc.createColors(false), isServed: true })).not.toContain('case files');
  });

  it.each([
    [true, 'asked by a person', 'go on: switchyard resume demo-abcdef'],
    [
      true,
      'go on with `switchyard budget raise demo-abcdef USD`',
      'go on: switchyard budget raise demo-abcdef USD',
    ],
    [
      false,
      'go on with `switchyard budget raise demo-abcdef USD`',
      'no orchestrator runs; go on: switchyard budget raise demo-abcdef USD, then switchyard resume demo-abcdef',
    ],
  ])('a paused run (served: %s, %s) says what lets it go on', (isServed, reason, line) => {
    const view = viewOf({ phase: 'running', paused: true, reason });
    expect(viewLines(view, { paint: pc.createColors(false), isServed }).at(-1)).toBe(line);
  });

  it('a run that is paused until a time says when it goes on by itself', () => {
    const pausedUntil = new Date(2026, 0, 31, 12, 30).getTime();
    const view = viewOf({ phase: 'running', paused: true, reason: 'quota used up', pausedUntil });
    const [head] = viewLines(view, { paint: pc.createColors(false), isServed: true });
    expect(head).toBe('demo-abcdef  paused: quota used up; goes on by itself on 2026-01-31 12:30');
  });

  it('a run that waits for a person says how to look at what it has changed, if it has', () => {
    const view = viewOf();
    const waiting = view.tasks.map((task, at) =>
      at === 0 ? { ...task, phase: 'waiting', kind: 'manual' } : task,
    ) as typeof view.tasks;
    const lines = (over: Partial<typeof view>) =>
      viewLines({ ...view, ...over }, { paint: pc.createColors(false), isServed: true });
    const tip = commitId.parse('f'.repeat(40));
    const look = `what the run has changed so far: git diff ${view.base.slice(0, 10)}...${view.branch}`;
    expect(lines({ tasks: waiting, tip })).toContain(look);
    expect(lines({ tasks: waiting, tip: view.base })).not.toContain(look);
    expect(lines({ tip })).not.toContain(look);
  });

  it('a run whose repository goes with it says where the result was, and not to merge it', () => {
    const view = { ...viewOf(), tip: commitId.parse('b'.repeat(40)) };
    expect(closingLines(view, undefined).slice(1)).toEqual([
      `result: branch ${view.branch}; your checkout is as it was`,
      `        to merge it: switchyard apply ${view.run}`,
    ]);
    expect(closingLines(view, undefined, { thrownAway: true }).slice(1)).toEqual([
      `result: branch ${view.branch} of the copy; your checkout is as it was`,
    ]);
  });

  it('a run whose branch is not where its result is says under what name that is found, and why', () => {
    const view = { ...viewOf(), tip: commitId.parse('b'.repeat(40)) };
    const published = { name: `refs/switchyard/runs/${view.run}`, obstacle: 'it is checked out' };
    expect(closingLines(view, undefined, { published }).slice(1)).toEqual([
      `result: refs/switchyard/runs/${view.run}; your checkout is as it was`,
      `        not on the branch ${view.branch}: it is checked out`,
      `        to merge it: switchyard apply ${view.run}`,
    ]);
    const shown = viewLines(view, { paint: pc.createColors(false), isServed: true, published }).join('\n');
    expect(shown).toContain(
      `result    ${published.name} at bbbbbbbbbb, from ${view.base.slice(0, 10)}; not on the branch ${view.branch}: it is checked out`,
    );
    expect(shown).not.toContain('branch    ');
  });

  it('words of others neither forge lines nor show in another order than they have', () => {
    const words = 'approve\u202Eton od\u2066 \u001B[2Jx\u2028y\tz\nשלום\u200F';
    expect(oneLine(words)).toBe('approve ton od   [2Jx y z שלום\u200F');
    expect(plainLines(words)).toBe('approve\u{fffd}ton od\u{fffd} \u{fffd}[2Jx\u{fffd}y\tz\nשלום\u200F');
  });

  it('a cut text says that it is cut', () => {
    expect([cutTo('abcd', 4), cutTo('abcde', 4), cutTo('😀😀😀', 3)]).toEqual(['abcd', 'abc…', '😀…']);
  });

  it('a finding has its place, severity, words and way out', () => {
    const found = finding.parse({
      severity: 'major',
      category: 'security',
      file: 'a.ts',
      line: 3,
      description: 'eval of\ninput',
      suggestion: 'do not',
      rule: 'own/eval',
    });
    expect(findingLines(found)).toEqual([
      '  a.ts:3 major security (own/eval)',
      '    eval of input',
      '    suggestion: do not',
    ]);
  });

  it('a log line is readable, and one that is broken is shown as it is', () => {
    const paint = pc.createColors(false);
    const line = JSON.stringify({
      level: 40,
      time: '2026-11-21T04:05:06.789Z',
      daemon: 'worker-1',
      pid: 3,
      msg: 'lost',
      run: 'r',
      task: 't',
      attempt: 2,
      worker: 'worker-1',
      commit: 'c'.repeat(40),
      err: { message: 'gone', stack: '…' },
    });
    const time = new Date('2026-11-21T04:05:06.789Z').toTimeString().slice(0, 8); // people read their own clock
    expect(logText(line, 'x', paint)).toBe(
      `${time}.789 warn  worker-1      r/t#2  lost  commit=cccccccccc err=gone`,
    );
    expect(logText('{"half', 'worker-1', paint)).toBe('worker-1  {"half');
  });

  it('an invitation keeps the token off the command line of the other machine', () => {
    const command = invitationCommand('worker', {
      url: 'wss://host:7420/hub',
      fingerprint: 'sha256:ab',
      token: 'tok',
      expiresAt: 0,
    });
    expect(command).toBe(
      'SWITCHYARD_TOKEN=tok switchyard worker --hub wss://host:7420/hub --fingerprint sha256:ab',
    );
  });

  it('what was applied says how it got there, and when there was nothing', () => {
    const applied = { commit: 'c'.repeat(40), files: ['a', 'b'], fastForward: false, isVerified: true };
    expect(appliedLines(applied)).toEqual([
      '  a',
      '  b',
      'applied: 2 files, your branch is at cccccccccc (merged with what your branch got meanwhile and verified again)',
    ]);
    expect(appliedLines({ ...applied, isVerified: false }).at(-1)).not.toContain('verified');
    expect(appliedLines({ ...applied, fastForward: true }).at(-1)).toContain('(fast-forward)');
    expect(appliedLines({ ...applied, files: [] })).toEqual([
      'nothing to do: the run changes nothing of your branch, which stays at cccccccccc',
    ]);
    const many = { ...applied, files: Array.from({ length: 30 }, (_, at) => `f${at}`) };
    expect(appliedLines(many)).toHaveLength(22);
  });

  it('a word for a shell is quoted where it must be', () => {
    expect([shellWord('a-b.c'), shellWord('sign off'), shellWord("it's")]).toEqual([
      'a-b.c',
      "'sign off'",
      String.raw`'it'\''s'`,
    ]);
  });

  it('an error has one message, a way out and the documented exit code', () => {
    const ending = endingOf(new AppError('E_NO_GIT', 'git is not there'));
    expect(ending).toEqual({
      exitCode: 4,
      text: 'error E_NO_GIT: git is not there\n  git is missing or too old; install git 2.39 or newer.\n',
    });
    const told = new AppError('E_RUN_UNKNOWN', 'there is no run x; `switchyard runs` lists them');
    expect(endingOf(told).text).toBe(`error E_RUN_UNKNOWN: ${told.message}\n`);
    expect(endingOf(new TypeError('x')).exitCode).toBe(70);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(endingOf(full)).toEqual({
      exitCode: 8,
      text: `error E_DISK_FULL: the disk is full: ${full.message}\n  The disk is full; nothing acknowledged is lost, make room and start again.\n`,
    });
  });

  it('an error that another process printed is read back', () => {
    const error = errorFromText('noise\nerror E_STATE_LOCKED: process 5 holds it\nmore');
    expect(error).toMatchObject({ code: 'E_STATE_LOCKED', message: 'process 5 holds it' });
    expect(errorFromText('error E_NOTHING: x')).toBeUndefined();
  });
});
