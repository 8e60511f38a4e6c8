import type { ReviewId, RunId } from '@switchyard/protocol';
import { nextDeadline, type RunInput } from '@switchyard/scheduler';
import { nextDeadline as nextReviewDeadline } from '@switchyard/review';
import type { OrchestratorPorts } from './ports.ts';
import type { Pending, RunKeeper } from './run-keeper.ts';

/** What a turn decided of one run. */
interface Work {
  readonly keeper: RunKeeper;
  readonly pending: Pending;
  /** The last of its facts, once the journal has them; 0: there is none. */
  seq: number;
}

/** What happens around a turn; the daemon fills it in. */
export interface LoopSteps {
  /** Decides what follows from the state of the fleet: leases, reviewers, verdicts. */
  dispatch(): void;
  /** The journal has what the run decided. */
  committed(work: Readonly<Work>): void;
  /** Performs what the run owes. */
  perform(keeper: RunKeeper): void;
  /** What was committed may be told to those who look. */
  publish(work: Readonly<Work>): void;
  /** For how long requests of reviews to their models had to wait so far, in milliseconds. */
  heldReviews(): ReadonlyMap<ReviewId, number>;
}

/** Looks at memory exactly as the turn's facts leave it; what it answers is called when the journal has them. */
export type Telling = () => () => void;

const overdueMs = 1_000;

/**
 * The loop (DESIGN.md section 6): message in → `decide` → `evolve` → facts appended → effects performed.
 *
 * Invariants: (1) everything that arrives in one turn of the event loop is one append per run, and the journal
 * makes one transaction of all of them; (2) no effect, answer or acknowledgement leaves before the journal has the
 * facts it rests on, because memory may run ahead of the disk by the appends under way and by the inputs of the next
 * turn, and nothing else sees it; (3) a failed append, or a bug in a turn, ends the process: memory is then ahead of
 * the truth.
 */
export class Loop {
  readonly keepers = new Map<RunId, RunKeeper>();
  private readonly open = new Set<RunKeeper>();
  private readonly dirty = new Set<RunKeeper>();
  private tellings: Telling[] = [];
  private scheduled = false;
  /** What was decided is still kept and told; nothing new is decided or performed. */
  private ending = false;
  private stopped = false;
  private lastCommit: Promise<void> = Promise.resolve();
  private tickedAt = -Infinity;
  private cancelDeadline: (() => void) | undefined;
  private readonly ports: OrchestratorPorts;
  private readonly steps: LoopSteps;

  constructor(ports: OrchestratorPorts, steps: LoopSteps) {
    this.ports = ports;
    this.steps = steps;
  }

  /** Takes a run in. */
  add(keeper: RunKeeper): void {
    this.keepers.set(keeper.run, keeper);
    if (!keeper.ended) this.open.add(keeper);
    this.touch(keeper);
  }

  /** Runs that have not ended, oldest first. */
  *active(): Generator<RunKeeper> {
    for (const keeper of this.open) if (!keeper.ended) yield keeper;
  }

  /** Decides on an input and schedules the turn that keeps it. Throws AppError where `decide` does. */
  input(keeper: RunKeeper, input: RunInput): void {
    keeper.input(input);
    this.touch(keeper);
  }

  /** `dispatch` has decided something of this run: the turn that it is part of takes it along. */
  takeAlong(keeper: RunKeeper): void {
    this.dirty.add(keeper);
  }

  /** Something of this run may have changed, or may be owed. */
  touch(keeper: RunKeeper): void {
    this.dirty.add(keeper);
    this.wake();
  }

  /** The fleet changed: every active run may have something to give. */
  wake(): void {
    if (this.scheduled || this.stopped) return;
    this.scheduled = true;
    queueMicrotask(() => void this.turn());
  }

  /** Calls back when the journal has everything decided so far. */
  afterCommit(callback: () => void): void {
    this.tell(() => callback);
  }

  /** Like `afterCommit`, for what shows the state: it shows what the journal has, no more and no less. */
  tell(telling: Telling): void {
    this.tellings.push(telling);
    this.wake();
  }

  /** No more turns; resolves when what was decided is kept. */
  async stop(): Promise<void> {
    this.ending = true;
    await this.turn();
    this.stopped = true;
    this.cancelDeadline?.();
    await this.lastCommit.catch(() => undefined); // reported by the turn that made it
  }

  private async turn(): Promise<void> {
    this.scheduled = false;
    if (this.stopped) return;
    try {
      await this.performTurn();
    } catch (error) {
      if (this.stopped) return; // told by the turn that failed first
      this.stopped = true;
      this.cancelDeadline?.();
      this.ports.fatal(error);
    }
  }

  private async performTurn(): Promise<void> {
    if (!this.ending) this.steps.dispatch();
    const dirty = [...this.dirty];
    this.dirty.clear();
    const work: Work[] = dirty.map((keeper) => ({ keeper, pending: keeper.takePending(), seq: 0 }));
    const tellings = this.tellings;
    this.tellings = [];
    const told = tellings.map((telling) => telling());
    await this.append(work);
    for (const each of work) this.steps.committed(each);
    for (const tell of told) tell();
    if (!this.ending && !this.stopped) this.perform(work);
    // Workers are told first: what was sent so far leaves here, in the microtask that is waiting.
    await undefined;
    for (const each of work) this.steps.publish(each);
  }

  private perform(work: readonly Work[]): void {
    for (const { keeper } of work) {
      // One that is ahead is in the next turn as well, which performs what it then owes.
      if (!keeper.isAhead) this.steps.perform(keeper);
      if (keeper.ended) this.open.delete(keeper);
    }
    this.armDeadline();
  }

  private append(work: readonly Work[]): Promise<void> {
    const appends = work
      .filter(({ pending }) => pending.facts.length > 0)
      .map(async (each) => {
        const { keeper, pending } = each;
        keeper.uncommitted += 1;
        each.seq = await this.ports.journal.append(keeper.run, this.ports.clock.now(), pending.facts);
        keeper.uncommitted -= 1;
      });
    this.lastCommit = Promise.all([this.lastCommit, ...appends]).then(() => undefined);
    return this.lastCommit;
  }

  /** One timer for the earliest thing that time alone would change. */
  private armDeadline(): void {
    this.cancelDeadline?.();
    this.cancelDeadline = undefined;
    let earliest = Infinity;
    for (const keeper of this.active()) earliest = Math.min(earliest, deadlineOf(keeper));
    if (earliest === Infinity || this.stopped) return;
    // A deadline that a tick did not take away is looked at again, but not at once.
    const leastMs = earliest <= this.tickedAt ? overdueMs : 0;
    const delayMs = Math.max(leastMs, earliest - this.ports.clock.now());
    this.cancelDeadline = this.ports.clock.after(delayMs, () => this.tick());
  }

  private tick(): void {
    const at = this.ports.clock.now();
    this.tickedAt = at;
    for (const keeper of this.active()) {
      if (deadlineOf(keeper) > at) continue;
      for (const key of keeper.openReviews)
        keeper.review(key, { at, kind: 'tick', held: this.steps.heldReviews() });
      this.input(keeper, { at, kind: 'tick' });
    }
    this.wake();
    this.armDeadline();
  }
}

function deadlineOf(keeper: RunKeeper): number {
  let earliest = nextDeadline(keeper.state) ?? Infinity;
  for (const key of keeper.openReviews) {
    const review = keeper.reviews.get(key);
    if (review !== undefined) earliest = Math.min(earliest, nextReviewDeadline(review) ?? Infinity);
  }
  return earliest;
}
