import type { Envelope, IgnoredMessage, Verdict } from '@switchyard/protocol';
import { reviewKey } from '@switchyard/history';
import type { ReviewInput } from '@switchyard/review';
import type { Acknowledgements } from './acknowledgements.ts';
import { AttemptTurns } from './attempt-turns.ts';
import type { Ignorance, IgnoredMessages, IgnoredReport } from './ignored-messages.ts';
import type { Loop } from './loop.ts';
import { isTrouble, patiently } from './patiently.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { ReviewDesk } from './review-desk.ts';
import type { RunKeeper } from './run-keeper.ts';
import { placeNowhere, speaksOfFiles } from './verdict-places.ts';

interface ReviewMessageContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly desk: ReviewDesk;
  readonly send: Send;
  readonly ignored: IgnoredMessages;
  readonly acknowledgements: Acknowledgements;
}

/**
 * What reviewers report. The review of the attempt judges whether a word counts: only from the reviewer that holds it,
 * only on its commit, and only if what it finds is there. Verdicts that git has to be asked about, and what comes after
 * them, are taken one after the other.
 * Anything else changes nothing, is counted and logged, and is acknowledged with the reason, for the sender's log.
 */
export class ReviewMessages {
  /** Verdicts that git has to be asked about. */
  private readonly turns = new AttemptTurns();
  private readonly context: ReviewMessageContext;

  constructor(context: ReviewMessageContext) {
    this.context = context;
  }

  /** Takes one message; false: not one of a reviewer's on its reviews. */
  receive(envelope: Envelope): boolean {
    const { from, id } = envelope;
    const at = this.context.ports.clock.now();
    switch (envelope.type) {
      case 'review-completing': {
        const { reviewId } = envelope.payload;
        const ignored = this.tell(envelope, { at, kind: 'completing', reviewId, reviewer: from });
        if (ignored !== undefined) this.acknowledge(envelope, ignored);
        this.context.loop.afterCommit(() =>
          this.context.send(from, 'review-acknowledged', { reviewId }, { replyTo: id }),
        );
        return true;
      }
      case 'review-approved':
      case 'review-rejected':
        this.verdict(envelope, envelope.payload);
        return true;
      case 'review-failed': {
        const { reviewId, failure } = envelope.payload;
        const { message: reason } = failure;
        this.inTurn(envelope, { at, kind: 'review-failed', reviewId, reviewer: from, reason });
        return true;
      }
      default:
        return false;
    }
  }

  private verdict(word: Word, verdict: Verdict): void {
    const input = {
      at: this.context.ports.clock.now(),
      kind: 'verdict',
      reviewer: word.from,
      verdict,
    } as const;
    if (!speaksOfFiles(verdict)) return this.inTurn(word, input);
    this.turn(word, async () => {
      const nowhere = await this.placeNowhere(word, verdict);
      this.acknowledge(word, this.tell(word, { ...input, at: this.context.ports.clock.now(), nowhere }));
    });
  }

  /** At once, unless a word before it is being looked at. */
  private inTurn(word: Word, input: ReviewInput): void {
    const conclude = (): void => this.acknowledge(word, this.tell(word, input));
    if (this.turns.underWay(word.payload) === undefined) return conclude();
    this.turn(word, () => Promise.resolve(conclude()));
  }

  /** Work in its turn. While the repository is in trouble nothing is acknowledged: the word stays in its sender's outbox. */
  private turn({ payload }: Word, work: () => Promise<void>): void {
    this.turns.take(payload, work).catch((error: unknown) => {
      if (!isTrouble(error)) this.context.ports.fatal(error);
    });
  }

  /** Which finding speaks of a place that is not there; not asked where the verdict does not count anyway. */
  private async placeNowhere({ payload, from }: Word, verdict: Verdict): Promise<string | undefined> {
    const { loop, ports } = this.context;
    const { run, taskId: task, fence } = payload;
    const keeper = loop.keepers.get(run);
    const review = keeper?.reviews.get(reviewKey(task, fence));
    if (review === undefined || review.outcome !== undefined || verdict.commit !== review.request.commit)
      return undefined;
    return patiently(
      ports.clock,
      () => placeNowhere(ports.repository, review.request, verdict),
      (err, retryMs) =>
        ports.logger.error({ run, task, fence, reviewer: from, err, retryMs }, 'a verdict cannot be checked'),
    );
  }

  /** Lets a word count, if it does; else what its sender is told. */
  private tell({ type, id, from, payload }: Word, input: ReviewInput): IgnoredMessage | undefined {
    const { run, taskId, attempt, fence } = payload;
    const report = { type, id, from, attempt: { run, taskId, attempt, fence } };
    const keeper = this.context.loop.keepers.get(run);
    const key = reviewKey(taskId, fence);
    const why = whyNotOpen(keeper, payload, key);
    if (keeper === undefined || why !== undefined)
      return this.context.ignored.note(report, why ?? 'unknown-run');
    const facts = this.context.desk.input(keeper, key, input);
    if (facts.length === 0) return this.context.ignored.note(report, 'not-held');
    const refusal = facts.find((fact) => fact.kind === 'review-verdict-refused');
    return refusal === undefined ? undefined : this.context.ignored.note(report, 'refused', refusal.reason);
  }

  /** Tells the sender that the journal has it, once it does, and why it changed nothing, if so. */
  private acknowledge({ from, id }: Word, ignored: IgnoredMessage | undefined): void {
    this.context.acknowledgements.add(from, id, ignored);
  }
}

/** What a reviewer says of one review. */
type Word = Omit<IgnoredReport, 'attempt'> & { readonly payload: IgnoredReport['attempt'] };

function whyNotOpen(
  keeper: RunKeeper | undefined,
  { taskId }: IgnoredReport['attempt'],
  key: string,
): Ignorance | undefined {
  if (keeper === undefined) return 'unknown-run';
  if (!keeper.state.tasks.has(taskId)) return 'unknown-task';
  const review = keeper.reviews.get(key);
  if (review === undefined) return 'unknown-review';
  return review.outcome !== undefined || keeper.ended ? 'over' : undefined;
}
