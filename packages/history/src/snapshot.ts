import type { RunEvent, RunId, TaskId } from '@switchyard/protocol';
import { restoreReview, reviewSnapshotShape, snapshotReview, type ReviewSnapshot } from '@switchyard/review';
import { restoreRun, runHead, runSnapshotShape, type RunSnapshot } from '@switchyard/scheduler';
import type { NewSnapshot, SnapshotHead } from '@switchyard/store';
import type { LoadEvents } from './event-log.ts';
import { RunHistory } from './run-history.ts';

/** Names what a snapshot holds; a program reads its own shape and no other. */
export const snapshotShape = `history-1 run-${runSnapshotShape} review-${reviewSnapshotShape}`;

/** What a snapshot's data is. */
interface SnapshotData {
  readonly run: RunSnapshot;
  readonly reviews: readonly (readonly [key: string, review: ReviewSnapshot])[];
}

/** The history that a snapshot was made of. Throws where the data is no snapshot of this shape. */
export function historyOf(head: SnapshotHead, data: unknown, loadEvents: LoadEvents): RunHistory {
  const { run, reviews } = data as SnapshotData;
  return new RunHistory(head.stream as RunId, {
    state: restoreRun(run),
    reviews: reviews.map(([key, review]) => [key, restoreReview(review)]),
    facts: head.facts,
    seq: head.seq,
    events: head.events,
    loadEvents,
  });
}

/** What does not change while a snapshot is made. */
export interface DraftOptions {
  readonly history: RunHistory;
  /** Events that the shelf has already. */
  readonly archived: number;
}

/**
 * A snapshot in the making, a slice at a time, while facts go on changing the run: what they touch is written again,
 * and the last step, which takes the head and what was touched late, is the only one that stands for a moment.
 */
export class SnapshotDraft {
  readonly history: RunHistory;
  private readonly archived: number;
  private readonly tasks = new Map<TaskId, string>();
  private readonly reviews = new Map<string, string>();
  /** Verifications are never changed, only added. */
  private readonly verifications: string[] = [];
  private readonly staleTasks: Set<TaskId>;
  private readonly staleReviews: Set<string>;

  constructor({ history, archived }: DraftOptions) {
    this.history = history;
    this.archived = archived;
    this.staleTasks = new Set(history.state.tasks.keys());
    this.staleReviews = new Set(history.reviews.keys());
  }

  /** A task has changed. */
  touchTask(id: TaskId): void {
    this.staleTasks.add(id);
  }

  /** A review has changed. */
  touchReview(key: string): void {
    this.staleReviews.add(key);
  }

  /** Writes at most `count` parts; false: nothing is left to be written. */
  step(count: number): boolean {
    for (let left = count; left > 0; left -= 1) if (!this.writeOne()) return false;
    return true;
  }

  /** The snapshot of this moment. `floor`: as the shelf wants it. */
  finish({ seq, floor }: { readonly seq: number; readonly floor: number }): NewSnapshot {
    this.step(Infinity);
    const { history } = this;
    const tasks = [...history.state.tasks.keys()].map((id) => written(this.tasks, id));
    const reviews = [...history.reviews.keys()].map(
      (key) => `[${JSON.stringify(key)},${written(this.reviews, key)}]`,
    );
    return {
      stream: history.run,
      seq,
      facts: history.facts,
      events: history.events.length,
      floor,
      shape: snapshotShape,
      parts: [
        `{"run":{"head":${JSON.stringify(runHead(history.state))},"tasks":[`,
        ...joined(tasks),
        '],"verifications":[',
        ...joined(this.verifications),
        ']},"reviews":[',
        ...joined(reviews),
        ']}',
      ],
      newEvents: history.events.from(this.archived) satisfies RunEvent[],
    };
  }

  private writeOne(): boolean {
    for (const id of this.staleTasks) {
      this.staleTasks.delete(id);
      this.tasks.set(id, JSON.stringify(this.history.state.tasks.get(id)));
      return true;
    }
    for (const key of this.staleReviews) {
      this.staleReviews.delete(key);
      const review = this.history.reviews.get(key);
      if (review !== undefined) this.reviews.set(key, JSON.stringify(snapshotReview(review)));
      return true;
    }
    const verification = this.history.state.verifications[this.verifications.length];
    if (verification === undefined) return false;
    this.verifications.push(JSON.stringify(verification));
    return true;
  }
}

function written<Key>(parts: ReadonlyMap<Key, string>, key: Key): string {
  const part = parts.get(key);
  if (part === undefined) throw new Error(`a snapshot without ${String(key)}`);
  return part;
}

const partsJoined = 200;

/** A list's members with commas between them, some together. */
function joined(members: readonly string[]): string[] {
  const parts: string[] = [];
  for (let at = 0; at < members.length; at += partsJoined)
    parts.push((at === 0 ? '' : ',') + members.slice(at, at + partsJoined).join(','));
  return parts;
}
