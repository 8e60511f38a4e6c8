import { AttemptEscalated, HoldTimes, type Question } from '@switchyard/agents';
import { escalationText, limits, type AttemptKey, type PayloadInput } from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import { attemptOf, keyOf } from './attempt-names.ts';

interface Open {
  readonly attempt: AttemptKey;
  readonly text: string;
  readonly endsAt: number;
  readonly resolve: (answer: string) => void;
}

export interface QuestionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Tells the orchestrator; a word that does not leave is said again on the next connection. */
  readonly tell: (question: PayloadInput<'task-question'> & AttemptKey) => void;
}

/**
 * What attempts ask while they run. Each question is told on every connection until it is answered; one that nobody
 * answers in time ends its attempt, which then asks as an escalation.
 */
export class Questions {
  private readonly options: QuestionsOptions;
  private readonly open = new Map<string, Open>();
  private readonly asked = new Map<string, number>();
  private readonly holds = new HoldTimes();

  constructor(options: QuestionsOptions) {
    this.options = options;
  }

  /** Rejects with AttemptEscalated where nobody answers in time, and with the signal's reason. */
  async ask(attempt: AttemptKey, question: Question, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { clock } = this.options;
    const key = keyOf(attempt);
    const count = (this.asked.get(key) ?? 0) + 1;
    this.asked.set(key, count);
    if (count > limits.questionsOfAttempt) throw new AttemptEscalated(question);
    this.holds.begin(key, clock.monotonic());
    try {
      return await this.answerOf(attempt, question, signal);
    } finally {
      this.holds.end(key, clock.monotonic());
    }
  }

  /** For how long an attempt has waited for answers so far, in milliseconds. */
  heldMs(attempt: AttemptKey): number {
    return this.holds.of(keyOf(attempt), this.options.clock.monotonic());
  }

  /** The orchestrator is there, first or again. */
  connected(): void {
    for (const [id, open] of this.open) this.tell(id, open);
  }

  answered({ question, answer }: PayloadInput<'task-answer'>): void {
    this.open.get(question)?.resolve(answer);
  }

  /** The attempt is over. */
  forget(attempt: AttemptKey): void {
    this.holds.forget(keyOf(attempt));
    this.asked.delete(keyOf(attempt));
  }

  private answerOf(attempt: AttemptKey, question: Question, signal: AbortSignal): Promise<string> {
    const { clock, random } = this.options;
    const id = random.token(20);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        cancel();
        signal.removeEventListener('abort', gone);
        this.open.delete(id);
      };
      const gone = (): void => {
        over();
        reject(signal.reason instanceof Error ? signal.reason : new Error('the attempt was ended'));
      };
      const cancel = clock.after(limits.questionWaitMs, () => {
        over();
        reject(new AttemptEscalated(question));
      });
      signal.addEventListener('abort', gone, { once: true });
      const open: Open = {
        attempt: attemptOf(attempt),
        text: escalationText({
          ...question,
          attemptedSolutions: [...(question.attemptedSolutions ?? [])],
        }).slice(0, 4000),
        endsAt: clock.monotonic() + limits.questionWaitMs,
        resolve: (answer) => {
          over();
          resolve(answer);
        },
      };
      this.open.set(id, open);
      this.tell(id, open);
    });
  }

  private tell(question: string, { attempt, text, endsAt }: Open): void {
    const waitMs = Math.max(1, Math.round(endsAt - this.options.clock.monotonic()));
    this.options.tell({ ...attempt, question, text, waitMs });
  }
}
