import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of one daemon (names are API; `switchyard help metrics` lists them). */
export interface Metrics {
  readonly registry: Registry;
  counter(name: MetricName, labels?: readonly string[]): Counter;
  gauge(name: MetricName, labels?: readonly string[]): Gauge;
  histogram(name: MetricName, labels?: readonly string[]): Histogram;
}

export const metricTable = {
  switchyard_tasks_total: 'Tasks by their end: completed, failed, skipped, cancelled.',
  switchyard_run_events_total: 'Events of runs by kind.',
  switchyard_peers: 'Connected workers, reviewers, clients and observers, by role.',
  switchyard_messages_ignored_total:
    'Messages of workers and reviewers that changed nothing, by type and reason.',
  switchyard_model_requests_total:
    'Requests to models by provider and end: done, throttled, exhausted, unused (its slot was given back).',
  switchyard_model_tokens_total: 'Tokens of requests to models by provider, read from no cache and written.',
  switchyard_model_usd_total: 'Dollars that requests to models have cost, by provider.',
  switchyard_model_requests_waiting: 'Requests to models that wait for the quota or the budget.',
  switchyard_journal_seconds: 'Length of one group commit of the journal in seconds.',
} as const;
export type MetricName = keyof typeof metricTable;

/** Makes an empty set with Node's own figures beside ours. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const base = (name: MetricName, labels: readonly string[]) => ({
    name,
    help: metricTable[name],
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    registry,
    counter: (name, labels = []) => new Counter(base(name, labels)),
    gauge: (name, labels = []) => new Gauge(base(name, labels)),
    histogram: (name, labels = []) => new Histogram(base(name, labels)),
  };
}
