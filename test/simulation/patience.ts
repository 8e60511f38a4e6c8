import { nextDeadline as nextReviewDeadline } from '@switchyard/review';
import { nextDeadline } from '@switchyard/scheduler';
import type { Invariants } from './invariants.ts';
import type { JournalDisk } from './journal-disk.ts';
import type { RunWatch } from './run-watch.ts';
import { mendedMs } from './scenario.ts';
import type { SimOrchestrator } from './sim-orchestrator.ts';
import { Violation } from './violation.ts';

/** Beyond its deadlines a run may go without a fact for so long: attempts and reviews may take as much. */
const quietMs = 12 * 60_000;
/** Facts that follow each other for ever are no progress either; gates that nobody answers follow each other for days. */
const endsWithinMs = 10 * 24 * 3_600_000;

interface Watched {
  readonly journal: JournalDisk;
  readonly invariants: Invariants;
  readonly orchestrator: SimOrchestrator;
}

/** How long a run may take: once all is mended it is never longer without a fact than its own deadlines say. */
export class Patience {
  private readonly sim: Watched;
  private facts = 0;
  private lastFactMs = 0;
  private dueMs = 0;
  private setBackMs = 0;

  constructor(sim: Watched) {
    this.sim = sim;
  }

  /** The orchestrator's wall clock was set: deadlines in the journal are put off by as much. */
  clockSet(byMs: number): void {
    if (byMs < 0) this.setBackMs -= byMs;
  }

  /** Nothing more is to be waited for. `sinceStartMs`: time of the simulation. */
  isOver(sinceStartMs: number): boolean {
    const { journal, orchestrator } = this.sim;
    if (journal.durable.length > this.facts) {
      this.facts = journal.durable.length;
      this.lastFactMs = sinceStartMs;
      const wallMs = sinceStartMs + orchestrator.machine.wallOffsetMs + 1_000_000;
      this.dueMs = sinceStartMs + Math.max(0, this.latestDeadline() - wallMs);
    }
    const quietSinceMs = Math.max(this.lastFactMs, mendedMs, this.dueMs);
    return sinceStartMs - quietSinceMs > quietMs + this.setBackMs || sinceStartMs > endsWithinMs;
  }

  /** What the orchestrator has in memory is what its facts fold to. Throws Violation. */
  checkMemory(): void {
    const { invariants, orchestrator } = this.sim;
    for (const { daemon } of orchestrator.processes.slice(-1)) {
      for (const [run, keeper] of daemon.loop.keepers) {
        const folded = invariants.runs.get(run)?.state;
        if (keeper.isAhead) continue;
        const where = differenceOf(plain(folded), plain(keeper.state));
        if (where !== undefined)
          throw new Violation(`9: the memory of ${run} is not what its facts fold to, at ${where}`);
      }
    }
  }

  private latestDeadline(): number {
    const open = [...this.sim.invariants.runs.values()].filter(({ ended }) => !ended);
    return Math.max(0, ...open.map(deadlineOf));
  }
}

function deadlineOf(run: RunWatch): number {
  const reviews = run.openReviews().map((review) => nextReviewDeadline(review) ?? 0);
  return Math.max(nextDeadline(run.state) ?? 0, ...reviews);
}

/** A state as plain data, maps and sets as lists. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, one: unknown) =>
      one instanceof Map || one instanceof Set ? [...one] : one,
    ),
  ) as unknown;
}

/** Where two differ first; undefined: nowhere. */
function differenceOf(one: unknown, other: unknown, path = 'state'): string | undefined {
  if (one === other) return undefined;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return `${path}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  for (const name of names) {
    const [a, b] = [one, other].map((each) => (each as Record<string, unknown>)[name]);
    const where = differenceOf(a, b, `${path}.${name}`);
    if (where !== undefined) return where;
  }
  return undefined;
}
