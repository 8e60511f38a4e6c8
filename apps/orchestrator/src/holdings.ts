import type { PeerId } from '@switchyard/protocol';
import type { ReviewState } from '@switchyard/review';

/** Who holds how many of something; kept up to date, so that nobody counts. */
export class Holdings {
  private readonly counts = new Map<PeerId, number>();

  of(peer: PeerId): number {
    return this.counts.get(peer) ?? 0;
  }

  add(peer: PeerId, by: 1 | -1): void {
    const now = this.of(peer) + by;
    if (now === 0) this.counts.delete(peer);
    else this.counts.set(peer, now);
  }
}

/** What the open reviews of a run ask of reviewers. */
export class ReviewHoldings {
  /** Reviews that reviewers hold. */
  readonly held = new Holdings();
  /** Keys of reviews of which a part waits for a reviewer, and how many parts. */
  readonly waiting = new Map<string, number>();
  private readonly holders = new Map<string, readonly PeerId[]>();

  /** A review has changed. */
  update(key: string, review: ReviewState): void {
    for (const peer of this.holders.get(key) ?? []) this.held.add(peer, -1);
    const members = review.outcome === undefined ? [...review.members.values()] : [];
    const holders = members.flatMap(({ phase }) =>
      phase.kind === 'assigned' || phase.kind === 'completing' ? [phase.reviewer] : [],
    );
    const waiting = members.filter(({ phase }) => phase.kind === 'requested').length;
    for (const peer of holders) this.held.add(peer, 1);
    if (holders.length === 0) this.holders.delete(key);
    else this.holders.set(key, holders);
    if (waiting === 0) this.waiting.delete(key);
    else this.waiting.set(key, waiting);
  }

  /** How many parts of reviews wait for a reviewer. */
  waitingCount(): number {
    let count = 0;
    for (const parts of this.waiting.values()) count += parts;
    return count;
  }
}
