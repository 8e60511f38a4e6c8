import { failureLine, type Finding, type TaskId, type UpstreamTask } from '@switchyard/protocol';
import { reviewKey } from '@switchyard/history';
import { tasksBefore, type TaskState } from '@switchyard/scheduler';
import type { RunKeeper } from './run-keeper.ts';

/** Of all that a task depends on together, so that an assignment stays a message. */
const filesMax = 2_000;
const findingsMax = 300;

/** What a task learns of those that it depends on: files, findings, blockers. */
export function upstreamOf(
  { state, reviews }: Pick<RunKeeper, 'state' | 'reviews'>,
  id: TaskId,
): UpstreamTask[] {
  let files = filesMax;
  let found = findingsMax;
  const direct = state.tasks.get(id)?.task.dependsOn ?? [];
  return tasksBefore(state, id, (task) => tells(task, direct) || hasWord(task, reviews)).flatMap((task) => {
    const phase = phaseOf(task);
    if (phase === undefined) return [];
    const all = findingsOf(task, reviews);
    const findings = all.slice(0, found);
    const blockers = blockersOf(task);
    if (!tells(task, direct) && findings.length === 0 && blockers.length === 0) return [];
    const last = task.history.findLast(({ outcome }) => outcome === 'accepted' || outcome === 'failed');
    const filesChanged = (phase === 'failed' ? [] : (last?.files ?? [])).slice(0, files);
    files -= filesChanged.length;
    found -= findings.length;
    const leftOut =
      (phase === 'failed' ? 0 : (last?.files.length ?? 0)) -
      filesChanged.length +
      all.length -
      findings.length;
    const commit = commitOf(task);
    return {
      taskId: task.task.id,
      phase,
      ...(commit === undefined ? {} : { commit }),
      filesChanged: [...filesChanged],
      findings: [...findings],
      blockers,
      leftOut,
    };
  });
}

/** What only judged work, and is no dependency of its own, is told of where it found something. */
function tells({ task }: TaskState, direct: readonly TaskId[]): boolean {
  return task.kind === 'implement' || direct.includes(task.id);
}

function phaseOf({ phase }: TaskState): UpstreamTask['phase'] | undefined {
  const { kind } = phase;
  return kind === 'completed' || kind === 'failed' || kind === 'verifying' || kind === 'rolled-back'
    ? kind
    : undefined;
}

function commitOf({ phase }: TaskState): UpstreamTask['commit'] {
  return phase.kind === 'completed' || phase.kind === 'verifying' ? phase.merged : undefined;
}

/** Whether it has findings or blockers; asked of 100 tasks for one assignment, so it makes no lists of them. */
function hasWord(task: TaskState, reviews: RunKeeper['reviews']): boolean {
  if (task.phase.kind === 'failed') return true;
  const own = task.history.at(-1)?.handover;
  if (own !== undefined && own.findings.length + own.blockers.length > 0) return true;
  return reviews.size > 0 && reviewedFindings(task, reviews).length > 0;
}

/** Of the attempt that counts: what its reviewers found, then what it says itself. */
function findingsOf(task: TaskState, reviews: RunKeeper['reviews']): Finding[] {
  return [...reviewedFindings(task, reviews), ...(task.history.at(-1)?.handover?.findings ?? [])];
}

function reviewedFindings({ task, history }: TaskState, reviews: RunKeeper['reviews']): readonly Finding[] {
  const last = history.at(-1);
  return (last && reviews.get(reviewKey(task.id, last.fence))?.outcome?.findings) ?? [];
}

function blockersOf({ phase, history }: TaskState): string[] {
  const own = history.at(-1)?.handover?.blockers ?? [];
  return phase.kind === 'failed' ? [failureLine(phase.failure), ...own] : [...own];
}
