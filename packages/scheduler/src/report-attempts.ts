import type { AttemptReport, CommitId, RunReport, TaskId } from '@switchyard/protocol';
import type { AttemptRecord, RunState, TaskState } from './state.ts';

/** The part of the report that the scheduler knows; the reviews of each attempt are joined by its fence. */
export interface ReportAttempts {
  readonly tasks: readonly {
    readonly id: TaskId;
    readonly attempts: readonly Omit<AttemptReport, 'reviews'>[];
    readonly filesChanged: string[];
    readonly mergeCommit?: CommitId;
  }[];
  readonly verification: RunReport['verification'];
  /** How commands of attempts were held; `unused` when none ran. */
  readonly sandbox: RunReport['sandbox'];
}

/** What was tried, what came of it, and how the merged results were verified. */
export function reportAttempts(state: RunState): ReportAttempts {
  const tasks = [...state.tasks.values()];
  const held = new Set(tasks.flatMap(({ history }) => history.flatMap(({ sandbox }) => sandbox ?? [])));
  return {
    tasks: tasks.map(reportTask),
    verification: state.verifications.map((record) => ({
      ...record,
      tasks: [...record.tasks],
      receipts: [...record.receipts],
    })),
    sandbox: held.has('none') ? 'none' : held.has('bubblewrap') ? 'bubblewrap' : 'unused',
  };
}

function reportTask(task: TaskState): ReportAttempts['tasks'][number] {
  const { phase, history } = task;
  // What the task brought in is what its last attempt changed, if it came in at all.
  const files = phase.kind === 'completed' ? (history.at(-1)?.files ?? []) : [];
  const merged = phase.kind === 'completed' ? phase.merged : undefined;
  return {
    id: task.task.id,
    attempts: history.map(reportAttempt),
    filesChanged: files.map(({ path }) => path),
    ...(merged === undefined ? {} : { mergeCommit: merged }),
  };
}

function reportAttempt(record: AttemptRecord): Omit<AttemptReport, 'reviews'> {
  const { attempt, fence, round, worker, leasedAt, endedAt, outcome, commit, receipts, failure } = record;
  const { salvage, wip, resumedFrom, usage } = record;
  return {
    attempt,
    fence,
    round,
    worker,
    leasedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    outcome,
    ...(commit === undefined ? {} : { commit }),
    receipts: [...receipts],
    ...(record.outputTail === undefined ? {} : { outputTail: record.outputTail }),
    ...(failure === undefined ? {} : { failure }),
    ...(record.handover === undefined ? {} : { handover: record.handover }),
    ...(salvage === undefined ? {} : { salvage }),
    ...(wip === undefined || outcome === 'running' ? {} : { wip }),
    ...(resumedFrom === undefined ? {} : { resumedFrom }),
    ...(usage === undefined ? {} : { usage: [...usage] }),
  };
}
