import { AttemptEscalated } from '@switchyard/agents';
import { attemptKey, limits, type AttemptKey, type PayloadInput } from '@switchyard/protocol';
import { systemRandom } from '@switchyard/runtime';
import { settle, VirtualClock } from '@switchyard/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { Questions } from '../src/questions.ts';

const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });
const question = { reason: 'which database?', attemptedSolutions: ['guessing'] };

let clock: VirtualClock;
let told: (PayloadInput<'task-question'> & AttemptKey)[];
let questions: Questions;
const never = new AbortController().signal;

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  questions = new Questions({ clock, random: systemRandom, tell: (asked) => told.push(asked) });
});

describe('a question of an attempt at work', () => {
  it('is told, again on each connection, until it is answered', async () => {
    const asked = questions.ask(attempt, question, never);
    await clock.advance(60_000);
    questions.connected();
    expect(told).toMatchObject([
      { ...attempt, text: 'which database? — tried: guessing', waitMs: limits.questionWaitMs },
      { question: told[0]?.question, waitMs: limits.questionWaitMs - 60_000 },
    ]);
    questions.answered({ ...attempt, question: 'of somebody else', answer: 'no' });
    questions.answered({ ...attempt, question: told[0]?.question ?? '', answer: 'the small one' });
    expect(await asked).toBe('the small one');
    questions.connected();
    expect(told).toHaveLength(2);
    expect(questions.heldMs(attempt)).toBe(60_000);
  });

  it('ends the attempt where nobody answers in time, or where it asks too often', async () => {
    const asked = questions.ask(attempt, question, never).catch((error: unknown) => error);
    await clock.advance(limits.questionWaitMs);
    expect(await asked).toBeInstanceOf(AttemptEscalated);
    for (let count = 1; count < limits.questionsOfAttempt; count += 1) {
      const next = questions.ask(attempt, question, never);
      questions.answered({ ...attempt, question: told.at(-1)?.question ?? '', answer: 'yes' });
      await next;
    }
    await expect(questions.ask(attempt, question, never)).rejects.toBeInstanceOf(AttemptEscalated);
  });

  it('goes with its attempt', async () => {
    const over = new AbortController();
    const asked = questions.ask(attempt, question, over.signal).catch((error: unknown) => error);
    over.abort(new Error('cancelled'));
    expect(await asked).toMatchObject({ message: 'cancelled' });
    await settle();
    questions.connected();
    expect(told).toHaveLength(1);
  });
});
