import { recover, RunHistory, SnapshotChore, type Recovered } from '@switchyard/history';
import { runId } from '@switchyard/protocol';
import { silentLogger, type Logger } from '@switchyard/runtime';
import type { Journal, SnapshotShelf } from '@switchyard/store';
import { MadeUpRun, seededRandom, type MadeUpFact } from '@switchyard/testkit';

export interface KeepingOptions {
  readonly journal: Journal;
  readonly shelf: SnapshotShelf;
  readonly seed: number;
  readonly runs: number;
  readonly tasks: number;
  readonly dueFacts?: number;
  readonly logger?: Logger;
}

interface Run {
  readonly world: MadeUpRun;
  live: RunHistory;
  /** Facts that memory has and the journal has not. */
  ahead: MadeUpFact[];
}

/** Runs whose facts go to a journal, with snapshots kept beside it, as the orchestrator does it. */
export class Keeping {
  chore: SnapshotChore;
  private readonly options: KeepingOptions;
  private readonly runs: Run[] = [];

  constructor(options: KeepingOptions) {
    this.options = options;
    for (let number = 0; number < options.runs; number += 1) {
      const run = runId.parse(`demo-${'abcdef'.slice(number)}${'abcdef'.slice(0, number)}`);
      const random = seededRandom(options.seed + number);
      const world = new MadeUpRun({ run, tasks: options.tasks, random, trouble: 0.15 });
      this.runs.push({ world, live: new RunHistory(run), ahead: [] });
    }
    this.chore = this.newChore();
  }

  get ended(): boolean {
    return this.runs.every(({ world, ahead }) => world.ended && ahead.length === 0);
  }

  /** Memory goes on with one of the runs; the journal does not have it yet. */
  decide(choice: number): void {
    const run = this.runs[choice % this.runs.length];
    if (run === undefined || run.world.ended) return;
    for (const fact of run.world.step()) {
      const { known } = fact;
      if (known.kind === 'run') run.live.fold(known.fact);
      else run.live.foldReview(known.key, known.fact);
      run.ahead.push(fact);
    }
  }

  /** The journal has what memory has of a run, and the chore is told. */
  async commit(choice: number): Promise<void> {
    const run = this.runs[choice % this.runs.length];
    if (run === undefined || run.ahead.length === 0) return;
    const facts = run.ahead;
    run.ahead = [];
    const seq = await this.options.journal.append(run.live.run, run.world.at, facts);
    this.chore.kept({ history: run.live, facts: facts.map(({ known }) => known), seq });
  }

  /** The process has gone, at this very moment, and another one begins. What only memory had is decided again. */
  async restart(): Promise<void> {
    for (const place of this.runs.keys()) await this.commit(place);
    const recovered = this.recovered();
    for (const run of this.runs)
      run.live = recovered.histories.get(run.live.run) ?? new RunHistory(run.live.run);
    this.chore = this.newChore();
    this.chore.adopt(recovered);
  }

  /** From the snapshots and what came after them. */
  recovered(): Recovered {
    const { journal, shelf, logger = silentLogger() } = this.options;
    return recover({ journal, shelf, logger });
  }

  /** From the facts alone. */
  folded(): Recovered {
    return recover({ journal: this.options.journal, logger: silentLogger() });
  }

  private newChore(): SnapshotChore {
    const { shelf, logger = silentLogger(), dueFacts = 20 } = this.options;
    return new SnapshotChore({
      shelf,
      logger,
      clock: { monotonic: () => 0 },
      dueFacts,
      partsAStep: 7,
    });
  }
}
