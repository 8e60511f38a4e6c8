import type { RunReport } from '@switchyard/protocol';
import { reviewSummaries } from '@switchyard/review';
import { reportAttempts, viewOf } from '@switchyard/scheduler';
import type { OrchestratorPorts } from './ports.ts';
import { reviewKey, type RunKeeper } from './run-keeper.ts';

/** What a report needs beside the state of its run. */
type ReportPorts = Pick<OrchestratorPorts, 'reports' | 'settings'>;

/** The report model of a run as it stands. */
export function buildReport(keeper: RunKeeper, { reports, settings }: ReportPorts): RunReport {
  const { run, state } = keeper;
  const { tasks, verification, sandbox } = reportAttempts(state);
  return {
    view: viewOf(state),
    plan: state.plan,
    tasks: tasks.map((task) => ({
      ...task,
      attempts: task.attempts.map((attempt) => {
        const { fence, worker } = attempt;
        const review = keeper.reviews.get(reviewKey(task.id, fence));
        const transcript = reports.transcriptOf({ run, taskId: task.id, fence, worker });
        return {
          ...attempt,
          ...(transcript !== undefined && { transcript }),
          reviews: review === undefined ? [] : reviewSummaries(review),
        };
      }),
    })),
    verification,
    // Verification is the orchestrator's own; whatever was not held anywhere makes the whole of it unheld.
    sandbox: sandboxOf(verification.length > 0 ? [sandbox, settings.sandbox] : [sandbox]),
    events: keeper.events.from(0),
  };
}

function sandboxOf(held: readonly RunReport['sandbox'][]): RunReport['sandbox'] {
  if (held.includes('none')) return 'none';
  return held.includes('bubblewrap') ? 'bubblewrap' : 'unused';
}

/** Events and bytes of output that a report over the wire has at most; its files have everything. */
const wireEventsMax = 5_000;
const wireOutputBytes = 4 * 1024 * 1024;

/** The report as it goes over the wire: of a very large run the first events and most of the output are left out. */
export function reportForWire(report: RunReport): RunReport {
  const receipts = report.tasks.flatMap(({ attempts }) => attempts.flatMap((attempt) => attempt.receipts));
  const bytes = receipts.reduce((sum, { outputTail }) => sum + outputTail.length, 0);
  const keep = bytes <= wireOutputBytes ? Infinity : Math.floor(wireOutputBytes / receipts.length);
  return {
    ...report,
    events: report.events.slice(-wireEventsMax),
    tasks: keep === Infinity ? report.tasks : report.tasks.map((task) => withOutputOf(task, keep)),
  };
}

type TaskReport = RunReport['tasks'][number];

function withOutputOf(task: TaskReport, keep: number): TaskReport {
  const attempts = task.attempts.map((attempt) => ({
    ...attempt,
    receipts: attempt.receipts.map((receipt) =>
      receipt.outputTail.length <= keep
        ? receipt
        : { ...receipt, outputTail: keep === 0 ? '' : receipt.outputTail.slice(-keep), truncated: true },
    ),
  }));
  return { ...task, attempts };
}
