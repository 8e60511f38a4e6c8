import type { Failure, FailureClass, GateSpec, PlanTask } from '@switchyard/protocol';
import { decide, eventsOf, nextDeadline, owed, valuesBefore, viewOf } from '@switchyard/scheduler';
import { describe, expect, it } from 'vitest';
import { failure, id, plan, task, type PlanOptions } from './build-plan.ts';
import { World } from './world.ts';

function started(tasks: readonly PlanTask[], options: PlanOptions = {}): World {
  const world = new World(plan(tasks, options), [{ name: 'w1', labels: [], slots: 10 }]);
  world.input({ kind: 'start' });
  world.offer();
  return world;
}

/** Fails every attempt of `a` until it is out of tries; the waits between them, in milliseconds. */
function waits(world: World, of: FailureClass, more: Partial<Failure> = {}): number[] {
  const found: number[] = [];
  for (let tries = 0; tries < 50; tries += 1) {
    world.fail(world.task('a'), failure(of, more));
    const { phase } = world.task('a');
    if (phase.kind !== 'ready') break;
    found.push(phase.notBefore - world.now);
    if (world.state.paused !== undefined) world.input({ kind: 'resume' });
    expect(nextDeadline(world.state)).toBe(phase.notBefore > world.now ? phase.notBefore : undefined);
    world.now = phase.notBefore;
    world.input({ kind: 'tick' });
    world.offer();
  }
  expect(world.task('a').phase.kind).toBe('failed');
  return found;
}

describe('retries by class of failure', () => {
  it.each([
    ['io', [1000, 2000, 3000]],
    ['parsing', [0]],
    ['logic', []],
    ['system', [2000, 4000]],
    ['throttled', Array.from({ length: 20 }, () => 60_000)],
    ['exhausted', Array.from({ length: 20 }, () => 0)],
    ['fatal', []],
  ] as const)('%s: waits %j', (of, expected) => {
    expect(waits(started([task({ id: 'a', retries: 9 })]), of)).toEqual(expected);
  });

  it('waits longer for room on a full disk', () => {
    const world = started([task({ id: 'a', retries: 9 })]);
    expect(waits(world, 'io', { code: 'E_DISK_FULL' })).toEqual([10_000, 20_000, 30_000]);
  });

  it('waits as long as the server says', () => {
    expect(waits(started([task({ id: 'a' })]), 'throttled', { retryAfterMs: 7000 })[0]).toBe(7000);
  });

  it('the retries of the task cap those of the class', () => {
    expect(waits(started([task({ id: 'a', retries: 1 })]), 'io')).toEqual([1000]);
    expect(waits(started([task({ id: 'a', retries: 0 })]), 'system')).toEqual([]);
  });

  it('the plan changes those of the class', () => {
    const world = started([task({ id: 'a', retries: 9 })], { retryPolicy: { logic: 2 } });
    expect(waits(world, 'logic')).toHaveLength(2);
  });

  it('a delayed task is not offered before its time', () => {
    const world = started([task({ id: 'a' })]);
    world.fail(world.task('a'), failure('io'));
    world.now += 999;
    world.offer();
    expect(world.task('a').phase.kind).toBe('ready');
    world.now += 1;
    world.offer();
    expect(world.task('a').phase.kind).toBe('leased');
  });

  it('a used up quota parks the run until it is reset', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b' })]);
    world.fail(world.task('a'), failure('exhausted', { retryAfterMs: 60_000 }));
    expect(world.state.paused).toMatchObject({ until: world.now + 60_000 });
    expect(viewOf(world.state)).toMatchObject({ paused: true, pausedUntil: world.now + 60_000 });
    expect(world.task('b').phase.kind).toBe('leased');
    world.now = nextDeadline(world.state) ?? 0;
    world.input({ kind: 'tick' });
    expect(world.state.paused).toBeUndefined();
  });

  it('what is fatal stops the run', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b' })]);
    world.fail(world.task('a'), failure('fatal'));
    expect(world.state.phase).toMatchObject({ kind: 'failed' });
    expect(world.phases()).toEqual({ a: 'failed', b: 'cancelled' });
  });

  it('an attempt that is lost is repeated at once, five times', () => {
    const world = started([task({ id: 'a', retries: 0 })]);
    for (let losses = 1; losses <= 5; losses += 1) {
      world.lose(world.task('a'));
      world.offer();
      expect(world.task('a').phase).toMatchObject({ kind: 'leased', lease: { attempt: losses + 1 } });
    }
    world.lose(world.task('a'));
    expect(world.task('a').phase).toMatchObject({ kind: 'failed', failure: { code: 'E_WORKER_LOST' } });
  });
});

describe('old failures and failures that repeat themselves', () => {
  const hourMs = 60 * 60_000;
  const again = (world: World, message: string, name = 'a'): void => {
    world.fail(world.task(name), failure('io', { message }));
    const { phase } = world.task(name);
    if (phase.kind !== 'ready') return;
    world.now = phase.notBefore;
    world.input({ kind: 'tick' });
    world.offer();
  };

  it('a failure of two hours ago does not use up a retry', () => {
    const world = started([task({ id: 'a', retries: 1 })]);
    again(world, 'the disk is slow');
    world.now += 2 * hourMs;
    again(world, 'the network is away');
    expect(world.task('a').phase.kind).toBe('leased');
    again(world, 'the disk is full');
    expect(world.task('a').phase.kind).toBe('failed');
  });

  it('failures are forgotten one by one, but not without end', () => {
    const world = started([task({ id: 'a', retries: 3 })]);
    let failures = 0;
    for (; failures < 50 && world.task('a').phase.kind === 'leased'; failures += 1) {
      world.now += 3 * hourMs;
      again(world, `trouble ${'abcdefghij'[failures % 10] ?? ''}`);
    }
    expect(failures).toBe(21);
    expect(world.task('a').phase.kind).toBe('failed');
    world.checkReplay();
  });

  it('the fourth failure of the same kind parks the task, and a person may let it go on', () => {
    const world = started([task({ id: 'a', retries: 9 })], { retryPolicy: { io: 9 } });
    for (let tries = 1; tries <= 4; tries += 1)
      again(world, `cannot reach host 10.0.0.${tries} (try ${tries})`);
    const { phase } = world.task('a');
    expect(phase).toMatchObject({ kind: 'waiting', wait: { default: 'fail', failure: { class: 'io' } } });
    if (phase.kind !== 'waiting') throw new Error('not parked');
    expect(phase.wait.text).toContain('attempts 1, 2, 3, 4 failed the same way');
    expect(phase.wait.text).toContain(`switchyard answer ${world.state.run} 'a' --action retry`);
    world.input({ kind: 'escalation-answered', taskId: id('a'), action: 'retry', note: '' });
    world.offer();
    expect(world.task('a').phase).toMatchObject({ kind: 'leased', lease: { attempt: 5 } });
    world.checkReplay();
  });

  it('a parked task has a case file, which is owed while it waits, and named in event and view', () => {
    const world = started([task({ id: 'first' }), task({ id: 'a b/c', retries: 9 })], {
      retryPolicy: { io: 9 },
    });
    for (let tries = 1; tries <= 4; tries += 1) again(world, 'no route', 'a b/c');
    const file = `runs/${world.state.run}/case-2-a-b-c.md`;
    const cases = () => owed(world.state).filter(({ kind }) => kind === 'case');
    expect(cases()).toMatchObject([{ taskId: 'a b/c', file, canAccept: false }]);
    expect(cases()).toEqual(cases());
    expect(viewOf(world.state).tasks[1]).toMatchObject({ caseFile: file });
    const waiting = world.facts.findLast(({ kind }) => kind === 'task-waiting');
    if (waiting === undefined) throw new Error('not parked');
    expect(eventsOf(world.state, waiting, 1)[0]?.text).toMatch(new RegExp(`; its case file: ${file}$`));
    world.input({ kind: 'escalation-answered', taskId: id('a b/c'), action: 'fail', note: '' });
    expect(cases()).toEqual([]);
    expect(viewOf(world.state).tasks[1]).toMatchObject({ phase: 'failed', caseFile: file });
    world.checkReplay();
  });

  it('failures that differ do not park it', () => {
    const world = started([task({ id: 'a', retries: 9 })], { retryPolicy: { io: 9 } });
    for (const message of ['one', 'two', 'one', 'two', 'one']) again(world, message);
    expect(world.task('a').phase.kind).toBe('leased');
  });

  it('nobody answers: the parked task fails with its own failure', () => {
    const world = started([task({ id: 'a', retries: 9 })], { retryPolicy: { io: 9 } });
    for (let tries = 0; tries < 4; tries += 1) again(world, 'the same');
    world.now = nextDeadline(world.state) ?? 0;
    world.input({ kind: 'tick' });
    expect(world.task('a').phase).toMatchObject({ kind: 'failed', failure: { message: 'the same' } });
  });
});

describe('when a task has failed', () => {
  const graph = (onFailure: PlanTask['onFailure']): PlanTask[] => [
    task({ id: 'a', onFailure }),
    task({ id: 'b', dependsOn: ['a'] }),
    task({ id: 'c', dependsOn: ['b'] }),
    task({ id: 'other' }),
  ];

  it.each([
    ['skip-dependents', { a: 'failed', b: 'skipped', c: 'skipped', other: 'completed' }],
    ['continue', { a: 'failed', b: 'completed', c: 'completed', other: 'completed' }],
    ['fail-run', { a: 'failed', b: 'cancelled', c: 'cancelled', other: 'cancelled' }],
  ] as const)('%s', (onFailure, expected) => {
    const world = started(graph(onFailure));
    world.fail(world.task('a'));
    world.finish();
    expect(world.phases()).toEqual(expected);
    expect(world.state.phase.kind).toBe('failed');
    world.checkReplay();
  });

  it('says which task made others skipped', () => {
    const world = started(graph('skip-dependents'));
    world.fail(world.task('a'));
    expect(world.task('c').phase).toMatchObject({ because: 'a', reason: 'a failed, so b was skipped' });
  });

  it('escalate asks a person, and fails when nobody answers', () => {
    const world = started(graph('escalate'));
    world.fail(world.task('a'));
    expect(world.task('a').phase).toMatchObject({ kind: 'waiting', wait: { default: 'fail' } });
    world.now = nextDeadline(world.state) ?? 0;
    world.input({ kind: 'tick' });
    expect(world.task('a').phase).toMatchObject({ kind: 'failed', failure: { class: 'logic' } });
    expect(world.task('b').phase.kind).toBe('skipped');
  });

  it('a task added later that depends on it is skipped at once', () => {
    const world = started(graph('skip-dependents'));
    world.fail(world.task('a'));
    world.input({ kind: 'add-tasks', tasks: [task({ id: 'late', dependsOn: ['a'] })] });
    expect(world.task('late').phase.kind).toBe('skipped');
  });

  it('the wall clock stops a run that takes too long', () => {
    const world = started([task({ id: 'a' })], { wallMinutes: 2 });
    expect(nextDeadline(world.state)).toBe(world.now + 120_000);
    world.now += 120_000;
    world.input({ kind: 'tick' });
    expect(world.state.phase).toMatchObject({
      kind: 'failed',
      reason: 'the run took longer than its limit of 2 minutes',
    });
  });
});

describe('questions to a person', () => {
  const asked = (): World => {
    const world = started([task({ id: 'a' }), task({ id: 'b', dependsOn: ['a'] })]);
    world.input({ kind: 'escalated', taskId: id('a'), fence: 1, text: 'which database?' });
    return world;
  };
  const answer = (world: World, action: 'retry' | 'skip' | 'fail' | 'accept') =>
    world.input({ kind: 'escalation-answered', taskId: id('a'), action, note: 'the small one' });

  it('retry gives the note to the next attempt', () => {
    const world = asked();
    answer(world, 'retry');
    expect(world.task('a')).toMatchObject({ phase: { kind: 'ready' }, answer: 'the small one', round: 1 });
  });

  it('skip skips it and what depends on it', () => {
    const world = asked();
    answer(world, 'skip');
    expect(world.phases()).toEqual({ a: 'skipped', b: 'skipped' });
  });

  it('fail fails it', () => {
    const world = asked();
    answer(world, 'fail');
    expect(world.phases()).toEqual({ a: 'failed', b: 'skipped' });
  });

  it('accept needs something that was handed in', () => {
    expect(answer(asked(), 'accept')).toBe('E_RUN_STATE');
  });

  it('a review that never comes to an end is asked about, and accept accepts the change', () => {
    const world = started([task({ id: 'a', review: 'required' })]);
    world.submit(world.task('a'));
    const reviewed = { kind: 'reviewed', taskId: id('a'), fence: 1, findings: [], text: 'late' } as const;
    world.input({ ...reviewed, outcome: 'timed-out' });
    answer(world, 'accept');
    expect(world.task('a').phase.kind).toBe('integrating');
    world.finish();
    world.checkMoves();
    expect(world.state.phase.kind).toBe('completed');
  });

  it('a change that is rejected in its last round is asked about', () => {
    const world = started([task({ id: 'a', review: 'required', rounds: 1 })]);
    world.submit(world.task('a'));
    const reviewed = { kind: 'reviewed', taskId: id('a'), fence: 1, findings: [], text: 'no' } as const;
    world.input({ ...reviewed, outcome: 'rejected' });
    expect(world.task('a').phase).toMatchObject({
      kind: 'waiting',
      wait: { failure: { code: 'E_REVIEW_REJECTED' } },
    });
    answer(world, 'retry');
    expect(world.task('a')).toMatchObject({ phase: { kind: 'ready' }, round: 2 });
  });
});

describe('gates', () => {
  const gated = (): World =>
    started([task({ id: 'ask', kind: 'manual' }), task({ id: 'b', dependsOn: ['ask'] })]);

  it('waits until somebody approves', () => {
    const world = gated();
    expect(world.phases()).toEqual({ ask: 'waiting', b: 'pending' });
    world.input({ kind: 'gate-answered', taskId: id('ask'), approve: true, note: '' });
    expect(world.phases()).toEqual({ ask: 'completed', b: 'ready' });
  });

  it('fails when somebody rejects, or nobody answers in a day', () => {
    const rejected = gated();
    rejected.input({ kind: 'gate-answered', taskId: id('ask'), approve: false, note: 'not today' });
    const forgotten = gated();
    forgotten.now = nextDeadline(forgotten.state) ?? 0;
    forgotten.input({ kind: 'tick' });
    for (const world of [rejected, forgotten])
      expect(world.task('ask').phase).toMatchObject({ failure: { code: 'E_GATE_REJECTED' } });
    expect(rejected.state.phase.kind).toBe('failed');
  });

  it('passes on what it asks for to all that comes after it, and to nothing else', () => {
    const inputs = [
      { name: 'version', text: 'what was deployed', choices: [] },
      { name: 'ring', text: '', choices: ['one', 'all'], default: 'one' },
    ];
    const gate = { mode: 'approve', waitMs: 60_000, inputs } as const;
    const world = started([
      { ...task({ id: 'ask', kind: 'manual' }), gate },
      task({ id: 'b', dependsOn: ['ask'] }),
      task({ id: 'c', dependsOn: ['b'] }),
      task({ id: 'beside' }),
    ]);
    expect(viewOf(world.state).tasks[0]?.waiting).toMatchObject({ inputs, default: 'fail' });
    const told = world.facts.flatMap((fact) => eventsOf(world.state, fact, 1).map(({ text }) => text));
    expect(told.join('\n')).toMatch(/ask waits for an answer: .*; it asks for version, ring \(else one\)$/m);
    const answer = (values: Record<string, string>): unknown =>
      world.input({ kind: 'gate-answered', taskId: id('ask'), approve: true, note: '', inputs: values });
    expect(answer({})).toBe('E_GATE_INPUTS');
    expect(answer({ version: '1', ring: 'two' })).toBe('E_GATE_INPUTS');
    expect(answer({ version: '1', other: 'x' })).toBe('E_GATE_INPUTS');
    expect(answer({ version: '1\0' })).toBe('E_GATE_INPUTS');
    expect(world.phases()).toMatchObject({ ask: 'waiting', b: 'pending' });
    answer({ version: '1.4' });
    const after = { version: '1.4', ring: 'one' };
    expect(
      ['b', 'c', 'beside', 'ask'].map((each) => valuesBefore(world.state, world.task(each).task)),
    ).toEqual([after, after, {}, {}]);
  });

  it('names all that is wrong with an answer at once', () => {
    const gate: GateSpec = {
      mode: 'approve',
      waitMs: 60_000,
      inputs: [
        { name: 'version', text: 'what was deployed', choices: [] },
        { name: 'ring', text: '', choices: ['one', 'all'] },
      ],
    };
    const { state, now } = started([{ ...task({ id: 'ask', kind: 'manual' }), gate }]);
    const answer = { kind: 'gate-answered', at: now, taskId: id('ask'), approve: true, note: '' } as const;
    expect(() => decide(state, { ...answer, inputs: { ring: 'two', rnig: 'all' } })).toThrow(
      'gate ask is not answered: it asks for no rnig, but for version, ring; version (what was deployed) is missing, add --input version=…; ring is one of one, all, not two',
    );
  });

  it('of mode notify goes on by itself when its time is over, unless somebody rejects it', () => {
    const inputs = [{ name: 'ring', text: '', choices: [], default: 'one' }];
    const notify = (): World =>
      started([
        { ...task({ id: 'tell', kind: 'manual' }), gate: { mode: 'notify', waitMs: 90_000, inputs } },
        task({ id: 'b', dependsOn: ['tell'] }),
      ]);
    const left = notify();
    expect(nextDeadline(left.state)).toBe(left.now + 90_000);
    left.now += 90_000;
    left.input({ kind: 'tick' });
    expect(left.phases()).toEqual({ tell: 'completed', b: 'ready' });
    expect(valuesBefore(left.state, left.task('b').task)).toEqual({ ring: 'one' });
    const stopped = notify();
    stopped.input({ kind: 'gate-answered', taskId: id('tell'), approve: false, note: 'stop' });
    expect(stopped.task('tell').phase).toMatchObject({ failure: { code: 'E_GATE_REJECTED' } });
  });

  it('is no escalation, and an escalation is no gate', () => {
    const world = gated();
    expect(world.input({ kind: 'escalation-answered', taskId: id('ask'), action: 'accept', note: '' })).toBe(
      'E_RUN_STATE',
    );
    expect(world.input({ kind: 'gate-answered', taskId: id('b'), approve: true, note: '' })).toBe(
      'E_RUN_STATE',
    );
    expect(world.input({ kind: 'gate-answered', taskId: id('x'), approve: true, note: '' })).toBe(
      'E_TASK_UNKNOWN',
    );
  });
});
