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
  private readonly events: ReturnType<Metrics['counter']>;
  private readonly peers: ReturnType<Metrics['gauge']>;

  constructor(metrics: Metrics) {
    this.tasks = metrics.counter('switchyard_tasks_total', ['end']);
    this.events = metrics.counter('switchyard_run_events_total', ['kind']);
    this.peers = metrics.gauge('switchyard_peers', ['role']);
  }

  event({ kind }: RunEvent): void {
    this.events.inc({ kind });
    const end = taskEnds[kind];
    if (end !== undefined) this.tasks.inc({ end });
  }

  connected(role: string, count: number): void {
    this.peers.set({ role }, count);
  }
}
