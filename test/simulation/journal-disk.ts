import { AppError } from '@switchyard/protocol';
import {
  openMemoryJournal,
  openMemoryShelf,
  type Journal,
  type JournalMemory,
  type NewSnapshot,
  type SnapshotHead,
  type SnapshotShelf,
  type StoredFact,
} from '@switchyard/store';
import { fairWeather, type DiskWeather } from './files.ts';
import type { Life, World } from './world.ts';

export interface JournalOptions {
  /** The loop stands still while the disk works, as with an embedded database; else it goes on, as with a server. */
  readonly isBlocking: boolean;
  /** Promises resolve before the facts are durable (a planted bug). */
  readonly early: boolean;
  /** Who opened it last does not shut the others out (a planted bug). */
  readonly ownerless: boolean;
}

/** The orchestrator's disk below the production group commit: whole transactions, durable or not. */
export class JournalDisk {
  readonly weather: DiskWeather = fairWeather();
  /** What every process that opens it will find. */
  readonly durable: StoredFact[] = [];
  private readonly memory: JournalMemory = [];
  private readonly image = openMemoryJournal({ memory: this.memory });
  private snapshots = openMemoryShelf(() => this.durable.length);
  /** What was put on the shelf, and is synced; what is not comes with the next commit. */
  private readonly kept: (readonly NewSnapshot[])[] = [];
  private unsynced: (readonly NewSnapshot[])[] = [];
  private damaged: SnapshotHead | undefined;
  private readonly world: World;
  private readonly options: JournalOptions;
  /** Commits under way, by the process that waits for them. */
  private readonly pending = new Map<Life, () => void>();
  private epoch = 0;

  constructor(world: World, options: JournalOptions) {
    this.world = world;
    this.options = options;
  }

  /** A snapshot cannot be read any more: recovery may say so. */
  get hasDamage(): boolean {
    return this.damaged !== undefined;
  }

  /** A commit is under way. */
  get isBusy(): boolean {
    return this.pending.size > 0;
  }

  /** Opens the journal for a new process, which takes it over. Throws AppError E_DISK_FULL. */
  open(life: Life): Journal {
    if (this.weather.full) throw new AppError('E_DISK_FULL', 'the journal: the disk is full');
    this.epoch += 1;
    const { epoch } = this;
    const journal = openMemoryJournal({
      memory: this.memory,
      commit: (keep) => this.commit(keep, epoch),
      turnEnd: (flush) => this.turnEnd(flush, life),
    });
    if (!this.options.early) return journal;
    const append: Journal['append'] = async (stream, at, facts) => {
      journal.append(stream, at, facts).catch(() => undefined); // the planted bug: nobody waits for it
      return Promise.resolve(this.durable.length);
    };
    return {
      append,
      read: (o) => journal.read(o),
      streams: () => journal.streams(),
      close: () => journal.close(),
    };
  }

  /** The shelf of a new process; what it was about to keep is lost with it. */
  shelf(life: Life): SnapshotShelf {
    const { weather, world } = this;
    return {
      lastSeq: () => this.durable.length,
      heads: () => this.snapshots.heads(),
      read: (head) => {
        if (this.isDamaged(head))
          throw new AppError('E_STATE_DAMAGED', 'a snapshot does not match its checksum');
        return this.snapshots.read(head);
      },
      keep: async (made) => {
        await world.pass(world.between(1, 50) + weather.slowMs, '', life);
        if (weather.full) throw new AppError('E_DISK_FULL', 'the journal: the disk is full');
        this.unsynced.push(made);
        await this.snapshots.keep(made);
      },
      events: (stream, count) => this.snapshots.events(stream, count),
    };
  }

  /** The power is gone, with the process: snapshots are not synced, and one may be damaged. */
  async losePower(): Promise<void> {
    const { world } = this;
    this.kept.push(...this.unsynced.slice(0, world.between(0, this.unsynced.length)));
    this.unsynced = [];
    this.snapshots = openMemoryShelf(() => this.durable.length);
    for (const made of this.kept) await this.snapshots.keep(made);
    const newest = this.snapshots.heads()[0];
    if (newest !== undefined && world.random.next() < 0.3) this.damaged = newest;
  }

  /** The process is gone (its life is over): what it was writing has reached the disk or has not. */
  crash(life: Life): void {
    const flush = this.pending.get(life);
    this.pending.delete(life);
    if (flush !== undefined && this.world.random.next() < 0.5) flush();
  }

  private turnEnd(flush: () => void, life: Life): void {
    const { world } = this;
    const tookMs = world.between(1, 10) + this.weather.slowMs;
    this.pending.set(life, flush);
    if (this.options.isBlocking) life.stalledUntil = Math.max(life.stalledUntil, world.nowMs + tookMs);
    world.after(
      tookMs,
      '',
      () => {
        this.pending.delete(life);
        flush();
      },
      life,
    );
  }

  private commit(keep: () => number, epoch: number): number {
    const { weather, world } = this;
    if (epoch !== this.epoch && !this.options.ownerless)
      throw new AppError('E_STATE_LOCKED', 'the journal: it was taken over by another process');
    if (weather.full) throw new AppError('E_DISK_FULL', 'the journal: the disk is full');
    if (weather.failNext) {
      weather.failNext = false;
      world.note('a sync of the journal fails');
      if (world.random.next() < 0.5) this.keep(keep);
      throw new AppError('E_STORAGE', 'the journal: a sync failed');
    }
    return this.keep(keep);
  }

  private isDamaged(head: SnapshotHead): boolean {
    return head.stream === this.damaged?.stream && head.seq === this.damaged.seq;
  }

  private keep(keep: () => number): number {
    const first = keep();
    this.kept.push(...this.unsynced.splice(0));
    for (const fact of this.image.read({ after: this.durable.length })) {
      this.durable.push(fact);
      this.world.note(textOf(fact));
    }
    return first;
  }
}

function textOf({ kind, stream, data }: StoredFact): string {
  const { taskId, fence, lease, outcome, key, reason } = data as Record<string, unknown> & {
    lease?: { fence: number };
  };
  const about = [stream, taskId, fence ?? lease?.fence, key, outcome, reason];
  const words = about.filter((one) => typeof one === 'string' || typeof one === 'number');
  return `fact ${kind} ${words.join(' ')}`;
}
