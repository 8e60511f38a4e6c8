import type { RunEvent } from '@switchyard/protocol';
import type { Metrics } from '@switchyard/runtime';

const taskEnds: Partial<Record<RunEvent['kind'], string>> = {
  'task-completed': 'completed',
  'task-failed': 'failed',
  'task-skipped': 'skipped',
  'task-cancelled': 'cancelled',
};

/** The orchestrator's figures, counted from events that the journal has. */
export class Measures {
  private readonly tasks: ReturnType<Metrics['counter']>;
  private readonly kinds: ReturnType<Metrics['counter']>;
  private readonly peers: ReturnType<Metrics['gauge']>;

  constructor(metrics: Metrics) {
    this.tasks = metrics.counter('switchyard_tasks_total', ['end']);
    this.kinds = metrics.counter('switchyard_run_events_total', ['kind']);
    this.peers = metrics.gauge('switchyard_peers', ['role']);
  }

  /** Counts by kind first: a turn has many events, and each `inc` folds its labels into text. */
  told(events: readonly RunEvent[]): void {
    const counts = new Map<RunEvent['kind'], number>();
    for (const { kind } of events) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    for (const [kind, count] of counts) {
      this.kinds.inc({ kind }, count);
      const end = taskEnds[kind];
      if (end !== undefined) this.tasks.inc({ end }, count);
    }
  }

  connected(role: string, count: number): void {
    this.peers.set({ role }, count);
  }
}
