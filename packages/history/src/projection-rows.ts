import type { Failure, RunEvent } from '@switchyard/protocol';
import type { ReviewState } from '@switchyard/review';
import { summaryOf, taskUsageRows, type TaskPhaseState, type TaskState } from '@switchyard/scheduler';
import type { TableRow } from '@switchyard/store';
import type { ProjectionName } from './projection-tables.ts';
import type { RunHistory } from './run-history.ts';

/** Rows of some tables; each is a function of the state alone, and a row stays one: it is only replaced. */
export type ProjectionRows = Partial<Record<ProjectionName, readonly TableRow[]>>;

/** All rows of a run. */
export function* projectionOf(history: RunHistory): Iterable<ProjectionRows> {
  yield runRows(history);
  for (const task of history.state.tasks.values()) yield taskRows(history.run, task);
  for (const review of history.reviews.values()) yield reviewRows(history.run, review);
  yield { events: history.events.from(0).map(eventRow) };
}

/** The run's own row, and what only grows with it. */
export function runRows({ run, state, facts, events }: RunHistory): ProjectionRows {
  const summary = summaryOf(state);
  const { total, completed, failed, skipped, cancelled } = summary.progress;
  const { name, phase, paused, reason, branch, base, tip, createdAt, startedAt, finishedAt } = summary;
  return {
    runs: [
      [
        ...[
          run,
          name,
          state.file ?? null,
          phase,
          Number(paused),
          reason ?? null,
          state.strategy.chosen,
          branch,
        ],
        ...[base, tip, createdAt, startedAt ?? null, finishedAt ?? null],
        ...[total, completed, failed, skipped, cancelled, facts, events.length],
      ],
    ],
    verifications: state.verifications.map(({ commit, passed, at, tasks, receipts }, number) => [
      ...[run, number + 1, commit, Number(passed), at, JSON.stringify(tasks)],
      receipts.reduce((sum, { durationMs }) => sum + durationMs, 0),
    ]),
  };
}

/** A task and its attempts. */
export function taskRows(run: string, state: TaskState): ProjectionRows {
  const { task, phase, attempts, round, history } = state;
  const { id, kind, workspace, dependsOn } = task;
  const failure = 'failure' in phase ? phase.failure : undefined;
  return {
    tasks: [
      [
        ...[
          run,
          id,
          kind,
          phase.kind,
          reasonOf(phase) ?? null,
          failure?.code ?? null,
          sinceOf(phase) ?? null,
        ],
        ...['lease' in phase ? phase.lease.worker : null, attempts, round],
        ...[JSON.stringify(workspace), JSON.stringify(dependsOn)],
        ('merged' in phase ? phase.merged : undefined) ?? null,
      ],
    ],
    attempts: history.map((record) => [
      ...[run, id, record.fence, record.attempt, record.round, record.worker, record.outcome],
      ...[record.leasedAt, record.endedAt ?? null, record.base, record.commit ?? null, record.files.length],
      ...failureCells(record.failure),
      ...[record.sandbox ?? null, record.salvage?.ref ?? null, record.wip?.ref ?? null],
    ]),
    usage: taskUsageRows(state).map((row) => [
      ...[run, id, row.fence, row.agent, row.provider, row.model, row.attempt],
      ...[row.requests, row.inputTokens, row.cachedTokens, row.outputTokens, row.microUsd],
    ]),
    receipts: history.flatMap(({ fence, receipts }) =>
      receipts.map((receipt, number) => [
        ...[run, id, fence, number + 1, receipt.criterion, receipt.command, receipt.commit],
        ...[receipt.exitCode ?? null, receipt.ended, receipt.startedAt, receipt.durationMs],
      ]),
    ),
  };
}

function failureCells(failure: Failure | undefined): (string | null)[] {
  return [failure?.class ?? null, failure?.code ?? null, failure?.message ?? null];
}

function sinceOf(phase: TaskPhaseState): number | undefined {
  if ('since' in phase) return phase.since;
  if ('lease' in phase) return phase.lease.at;
  return 'at' in phase ? phase.at : undefined;
}

function reasonOf(phase: TaskPhaseState): string | undefined {
  if ('wait' in phase) return phase.wait.text;
  if ('failure' in phase) return phase.failure.message;
  return 'reason' in phase ? phase.reason : undefined;
}

/** The parts of a review and what was found. */
export function reviewRows(
  run: string,
  { request, requestedAt, members, outcome }: ReviewState,
): ProjectionRows {
  const { taskId, fence, attempt, round, commit } = request;
  return {
    reviews: [...members.values()].map(({ specialization, phase, last }) => [
      ...[run, taskId, fence, specialization, attempt, round, commit, phase.kind],
      ('reviewer' in phase ? phase.reviewer : last?.reviewer) ?? null,
      ...[requestedAt, outcome?.at ?? null, outcome?.kind ?? null, outcome?.text ?? null],
    ]),
    findings: (outcome?.findings ?? []).map((finding, number) => [
      ...[run, taskId, fence, number + 1, finding.severity, finding.category],
      ...[finding.file ?? null, finding.line ?? null, finding.description, finding.suggestion ?? null],
    ]),
  };
}

export function eventRow({ run, seq, at, kind, taskId, worker, attempt, text }: RunEvent): TableRow {
  return [run, seq, at, kind, taskId ?? null, worker ?? null, attempt ?? null, text];
}
