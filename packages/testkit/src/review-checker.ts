import {
  evolve,
  nextDeadline,
  owed,
  type ReviewFact,
  type ReviewMember,
  type ReviewState,
} from '@switchyard/review';
import { must } from './must.ts';

const open: ReadonlySet<string> = new Set(['requested', 'assigned', 'completing']);

/**
 * Folds the facts of the review of one attempt, and after every one of them checks what `decide` of the reviews
 * promises by number. Throws an Error that says what does not hold.
 */
export class ReviewChecker {
  private current: ReviewState | undefined;

  get state(): ReviewState {
    if (this.current === undefined) throw new Error('the review has no facts');
    return this.current;
  }

  fold(fact: ReviewFact): void {
    if (this.current !== undefined) this.checkBefore(fact, this.current);
    this.current = evolve(this.current, fact);
    if (fact.kind === 'review-settled') this.checkSettled(fact);
  }

  /** (2) and (5), once all facts of a decision are folded. */
  checkAlive(): void {
    const { outcome, members } = this.state;
    const isOpen = [...members.values()].some(({ phase }) => open.has(phase.kind));
    must(outcome !== undefined || isOpen, '(2) every member has come to an end, and it is not settled');
    must(
      outcome !== undefined || nextDeadline(this.state) !== undefined,
      '(5) it is open without a deadline',
    );
    const names = owed(this.state).map(({ reviewId }) => reviewId);
    must(new Set(names).size === names.length, 'two members have one review id');
  }

  private checkBefore(fact: ReviewFact, state: ReviewState): void {
    must(state.outcome === undefined, `(1) ${fact.kind} of a review that is settled`);
    if (fact.kind !== 'review-verdict-given') return;
    const { specialization, verdict } = fact;
    const phase = state.members.get(specialization)?.phase;
    const isHeld = phase?.kind === 'assigned' || phase?.kind === 'completing';
    must(
      isHeld && phase.reviewId === verdict.reviewId && phase.reviewer === verdict.reviewerId,
      `(4) a verdict of ${verdict.reviewerId} counts, which does not hold the review`,
    );
    const { commit } = state.request;
    must(verdict.commit === commit, `(4) a verdict on ${verdict.commit} counts for ${commit}`);
  }

  private checkSettled({ outcome }: ReviewFact & { kind: 'review-settled' }): void {
    const members = [...this.state.members.values()];
    if (!outcome.text.startsWith('cancelled: '))
      must(
        !members.some(({ phase }) => open.has(phase.kind)),
        '(2) it is settled, and a member is still at work',
      );
    if (outcome.kind === 'approved')
      must(
        members.every((member) => this.passes(member)) || this.isQuorum(members),
        '(3) it is approved, and a member did not approve',
      );
    if (outcome.kind === 'rejected')
      must(
        members.some(({ phase }) => phase.kind === 'rejected'),
        '(3) it is rejected by nobody',
      );
  }

  private isQuorum(members: readonly ReviewMember[]): boolean {
    const { quorum } = this.state.request;
    const approved = members.filter(({ phase }) => phase.kind === 'approved').length;
    const isRejected = members.some(({ phase }) => phase.kind === 'rejected');
    return !isRejected && quorum !== undefined && approved >= Math.min(quorum, members.length);
  }

  private passes({ phase }: ReviewMember): boolean {
    const { mode, onTimeout } = this.state.request;
    if (mode === 'optional') return true;
    return phase.kind === 'approved' || (phase.kind === 'timed-out' && onTimeout === 'approve');
  }
}
