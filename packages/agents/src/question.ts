/** What an agent asks of a person, the orchestrating agent or the policy. */
export interface Question {
  readonly reason: string;
  readonly attemptedSolutions?: readonly string[];
  readonly needsClarification?: string;
}

/**
 * Thrown by `ask` where nobody answers while the attempt runs: it ends as escalated, and the next attempt finds the
 * answer in its assignment. Executors let it through.
 */
export class AttemptEscalated extends Error {
  readonly question: Question;

  constructor(question: Question) {
    super(`the attempt asks: ${question.reason}`);
    this.name = 'AttemptEscalated';
    this.question = question;
  }
}
