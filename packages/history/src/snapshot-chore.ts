import { messageOf } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import { touchedBy } from '@switchyard/scheduler';
import type { NewSnapshot, SnapshotShelf } from '@switchyard/store';
import type { Chore, Kept } from './archivist.ts';
import type { Recovered } from './recover.ts';
import type { RunHistory } from './run-history.ts';
import { SnapshotDraft } from './snapshot.ts';

export interface SnapshotChoreOptions {
  readonly shelf: SnapshotShelf;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Facts of a run that make a new snapshot worth its while: so many, or a quarter of all it has. Default 1,000. */
  readonly dueFacts?: number;
  /** Tasks and reviews that a step writes. Default 100. */
  readonly partsAStep?: number;
}

const dueShare = 4;
/** So many are too many to read again, however busy the loop is. */
const overdueFacts = 200_000;
/** After a snapshot that could not be kept (the disk is full), none is tried for so long. */
const retryMs = 60_000;

/** What is known of a run and its snapshots. */
interface Entry {
  readonly history: RunHistory;
  /** Facts that the journal has, and the last of them. */
  facts: number;
  seq: number;
  /** Facts and events that the newest snapshot has. */
  snapshotFacts: number;
  snapshotEvents: number;
  /** The first fact that is in no snapshot; undefined: all are. */
  first: number | undefined;
}

interface Work {
  readonly entry: Entry;
  readonly draft: SnapshotDraft;
}

/** Keeps snapshots of runs, so that the next start folds only what came after them. */
export class SnapshotChore implements Chore {
  private readonly options: SnapshotChoreOptions;
  private readonly entries = new Map<string, Entry>();
  /** Runs with facts that are in no snapshot. */
  private readonly behind = new Set<Entry>();
  private seq = 0;
  private work: Work | undefined;
  private keeping: Promise<void> | undefined;
  private notBefore = 0;

  constructor(options: SnapshotChoreOptions) {
    this.options = options;
  }

  adopt({ histories, heads, firstFolded, seq }: Recovered): void {
    this.seq = seq;
    const headOf = new Map(heads.map((head) => [head.stream, head]));
    for (const [run, history] of histories) {
      const head = headOf.get(run);
      const entry = {
        history,
        facts: history.facts,
        seq: history.seq,
        snapshotFacts: head?.facts ?? 0,
        snapshotEvents: head?.events ?? 0,
        first: firstFolded.get(run),
      };
      this.entries.set(run, entry);
      if (entry.first !== undefined) this.behind.add(entry);
    }
  }

  kept({ history, facts, seq }: Kept): void {
    let entry = this.entries.get(history.run);
    if (entry === undefined) {
      entry = { history, facts: 0, seq: 0, snapshotFacts: 0, snapshotEvents: 0, first: undefined };
      this.entries.set(history.run, entry);
    }
    this.seq = Math.max(this.seq, seq);
    entry.facts += facts.length;
    entry.seq = seq;
    entry.first ??= seq - facts.length + 1;
    this.behind.add(entry);
    if (this.work?.entry !== entry) return;
    for (const known of facts) {
      if (known.kind === 'review') this.work.draft.touchReview(known.key);
      else for (const id of touchedBy(history.state, known.fact)) this.work.draft.touchTask(id);
    }
  }

  step(isBusy: boolean): boolean {
    if (this.keeping !== undefined) return true;
    if (this.options.clock.monotonic() < this.notBefore) return false;
    this.work ??= this.nextWork(isBusy);
    if (this.work === undefined) return false;
    if (this.work.draft.step(this.options.partsAStep ?? 100)) return true;
    // What the journal does not have yet may not be in a snapshot either: the next step looks again.
    if (isAhead(this.work.entry)) return true;
    const { work } = this;
    this.work = undefined;
    this.keep([work]);
    return true;
  }

  async finish(): Promise<void> {
    await this.keeping;
    this.work = undefined;
    const left = [...this.behind].filter((entry) => !isAhead(entry));
    this.keep(left.map((entry) => ({ entry, draft: draftOf(entry) })));
    await this.keeping;
  }

  private nextWork(isBusy: boolean): Work | undefined {
    const { dueFacts = 1_000 } = this.options;
    for (const entry of this.behind) {
      const fresh = entry.facts - entry.snapshotFacts;
      const due = entry.history.ended ? 1 : Math.max(dueFacts, entry.facts / dueShare);
      if (fresh >= (isBusy ? overdueFacts : due)) return { entry, draft: draftOf(entry) };
    }
    return undefined;
  }

  private keep(works: readonly Work[]): void {
    if (works.length === 0) return;
    const firsts = works.map(({ entry }) => entry.first);
    for (const { entry } of works) {
      entry.first = undefined;
      this.behind.delete(entry);
    }
    const floor = this.floor();
    const snapshots = works.map(({ draft, entry }) => draft.finish({ seq: entry.seq, floor }));
    this.keeping = this.write(snapshots).then((isKept) => {
      this.keeping = undefined;
      for (const [place, { entry }] of works.entries()) {
        const snapshot = snapshots[place];
        if (isKept && snapshot !== undefined) this.keptSnapshot(entry, snapshot);
        else this.notKept(entry, firsts[place]);
      }
    });
  }

  private async write(snapshots: readonly NewSnapshot[]): Promise<boolean> {
    const { shelf, logger, clock } = this.options;
    try {
      await shelf.keep(snapshots);
      return true;
    } catch (error) {
      // The facts are all that is needed; the next start takes longer.
      const runs = snapshots.map(({ stream }) => stream);
      logger.warn({ runs, reason: messageOf(error) }, 'snapshots cannot be kept; it is tried again later');
      this.notBefore = clock.monotonic() + retryMs;
      return false;
    }
  }

  private keptSnapshot(entry: Entry, { stream, facts, events, seq }: NewSnapshot): void {
    entry.snapshotFacts = facts;
    entry.snapshotEvents = events;
    entry.history.events.archived(events);
    this.options.logger.debug({ run: stream, facts, seq }, 'snapshot kept');
  }

  private notKept(entry: Entry, first: number | undefined): void {
    entry.first = first;
    this.behind.add(entry);
  }

  /** Every fact up to it is in a snapshot. */
  private floor(): number {
    let floor = this.seq;
    for (const { first } of this.behind) if (first !== undefined) floor = Math.min(floor, first - 1);
    return floor;
  }
}

function draftOf({ history, snapshotEvents }: Entry): SnapshotDraft {
  return new SnapshotDraft({ history, archived: snapshotEvents });
}

/** Memory knows facts of which it was not told that the journal has them. */
function isAhead({ history, facts }: Entry): boolean {
  return history.facts > facts;
}
