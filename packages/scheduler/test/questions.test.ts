import type { PlanTask } from '@switchyard/protocol';
import { viewOf } from '@switchyard/scheduler';
import { beforeEach, describe, expect, it } from 'vitest';
import { id, plan, task } from './build-plan.ts';
import { World } from './world.ts';

let world: World;

function atWork(more: Partial<PlanTask> = {}): void {
  world = new World(plan([{ ...task({ id: 'a' }), ...more }]), [{ name: 'w1', labels: [], slots: 1 }]);
  world.input({ kind: 'start' });
  world.offer();
  world.input({ kind: 'accepted', taskId: id('a'), fence: 1 });
  world.input({ kind: 'progressed', taskId: id('a'), fence: 1, phase: 'running' });
}

const ask = (question = 'question-1', text = 'which database?') =>
  world.input({ kind: 'asked', taskId: id('a'), fence: 1, question, text, waitMs: 600_000 });
const answer = (action: 'retry' | 'skip' | 'fail' | 'accept', note = 'the small one') =>
  world.input({ kind: 'escalation-answered', taskId: id('a'), action, note });
const shown = () => viewOf(world.state).tasks[0];
const questions = () => world.task('a').history.at(-1)?.questions;

beforeEach(() => atWork());

describe('an attempt that asks while it works', () => {
  it('stays at work, and is shown with what it asks and how long it waits', () => {
    ask();
    expect(shown()).toMatchObject({
      phase: 'running',
      reason: 'asks, and waits at work: which database?',
      waiting: {
        kind: 'question',
        text: 'which database?',
        deadline: world.now + 600_000,
        default: 'escalate',
      },
    });
    ask();
    expect(questions()).toHaveLength(1);
  });

  it('goes on with the answer, in the same attempt', () => {
    ask();
    answer('retry');
    expect(questions()).toMatchObject([{ answer: { text: 'the small one', by: 'person' } }]);
    expect(shown()).toMatchObject({ phase: 'running', attempt: 1 });
    expect(shown()?.waiting).toBeUndefined();
    expect(answer('retry')).toBe('E_RUN_STATE');
    ask('question-2', 'and which port?');
    answer('retry', '');
    expect(questions()?.[1]?.answer?.text).toContain('Decide by yourself');
  });

  it('takes no answer to an earlier question, but one that is on the way when the attempt ends with its question', () => {
    const at = (asked: number) =>
      world.input({ kind: 'escalation-answered', taskId: id('a'), action: 'retry', note: 'x', asked });
    ask();
    const first = world.now;
    answer('retry');
    world.now += 1000;
    const second = world.now;
    ask('question-2', 'and which port?');
    expect(at(first)).toBe('E_RUN_STATE');
    world.now += 1000;
    world.input({ kind: 'escalated', taskId: id('a'), fence: 1, text: 'and which port?' });
    expect(at(first)).toBe('E_RUN_STATE');
    expect(at(second)).not.toBeTypeOf('string');
  });

  it.each([
    ['skip', 'skipped'],
    ['fail', 'failed'],
  ] as const)('is stopped by the answer %s', (action, phase) => {
    ask();
    answer(action);
    expect(world.task('a').phase.kind).toBe(phase);
    expect(world.task('a').history.at(-1)?.outcome).toBe('cancelled');
  });

  it('has nothing that could be accepted', () => {
    ask();
    expect(answer('accept')).toBe('E_RUN_STATE');
    expect(questions()?.[0]?.answer).toBeUndefined();
  });

  it('is told to decide by itself where the plan says so', () => {
    atWork({ questions: 'decide' });
    ask();
    expect(questions()).toMatchObject([{ answer: { by: 'policy' } }]);
    expect(shown()?.waiting).toBeUndefined();
  });

  it('ends as an escalation where nobody answers in time', () => {
    ask();
    world.input({ kind: 'escalated', taskId: id('a'), fence: 1, text: 'which database?' });
    expect(shown()).toMatchObject({ phase: 'waiting', waiting: { kind: 'escalation' } });
    answer('retry');
    expect(world.task('a')).toMatchObject({ answer: 'the small one', phase: { kind: 'ready' } });
  });

  it('is tried again at once where the answer crossed its end', () => {
    ask();
    answer('retry');
    world.input({ kind: 'escalated', taskId: id('a'), fence: 1, text: 'which database?' });
    expect(world.task('a')).toMatchObject({ answer: 'the small one', phase: { kind: 'ready' } });
  });

  it('asks nothing any more once its attempt is over', () => {
    ask();
    world.input({ kind: 'lost', taskId: id('a'), fence: 1, reason: 'gone' });
    expect(shown()?.waiting).toBeUndefined();
    expect(answer('retry')).toBe('E_RUN_STATE');
    expect(ask('question-2')).toEqual([]);
  });
});
