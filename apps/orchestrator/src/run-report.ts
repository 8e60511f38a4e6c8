import type { RunReport } from '@switchyard/protocol';
import { reportOfHistory } from '@switchyard/history';
import { viewOf } from '@switchyard/scheduler';
import type { OrchestratorPorts } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

/** What a report needs beside the state of its run. */
type ReportPorts = Pick<OrchestratorPorts, 'reports' | 'settings'>;

/** The report model of a run as it stands. */
export function buildReport(keeper: RunKeeper, { reports, settings }: ReportPorts): RunReport {
  const { run, state, history } = keeper;
  const { tasks, verification, sandbox } = reportOfHistory(history);
  return {
    view: viewOf(state),
    plan: state.plan,
    tasks: tasks.map((task) => ({
      ...task,
      attempts: task.attempts.map((attempt) => {
        const { fence, worker } = attempt;
        const transcript = reports.transcriptOf({ run, taskId: task.id, fence, worker });
        return { ...attempt, ...(transcript !== undefined && { transcript }) };
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
  const attempts = report.tasks.flatMap((task) => task.attempts);
  const outputs = attempts.flatMap((attempt) => [
    ...attempt.receipts.map(({ outputTail }) => outputTail),
    ...(attempt.outputTail === undefined ? [] : [attempt.outputTail]),
  ]);
  const bytes = outputs.reduce((sum, output) => sum + output.length, 0);
  const keep = bytes <= wireOutputBytes ? Infinity : Math.floor(wireOutputBytes / outputs.length);
  return {
    ...report,
    events: report.events.slice(-wireEventsMax),
    tasks: keep === Infinity ? report.tasks : report.tasks.map((task) => withOutputOf(task, keep)),
  };
}

type TaskReport = RunReport['tasks'][number];

function withOutputOf(task: TaskReport, keep: number): TaskReport {
  const endOf = (output: string): string => (keep === 0 ? '' : output.slice(-keep));
  const attempts = task.attempts.map((attempt) => ({
    ...attempt,
    ...(attempt.outputTail !== undefined && { outputTail: endOf(attempt.outputTail) }),
    receipts: attempt.receipts.map((receipt) =>
      receipt.outputTail.length <= keep
        ? receipt
        : { ...receipt, outputTail: endOf(receipt.outputTail), truncated: true },
    ),
  }));
  return { ...task, attempts };
}
