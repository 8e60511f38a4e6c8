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
  const hasWord = (task: TaskState): boolean =>
    tells(task, direct) || findingsOf(task, reviews).length > 0 || blockersOf(task).length > 0;
  return tasksBefore(state, id, hasWord).flatMap((task) => {
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

/** Of the attempt that counts: what its reviewers found, then what it says itself. */
function findingsOf({ task, history }: TaskState, reviews: RunKeeper['reviews']): Finding[] {
  const last = history.at(-1);
  if (last === undefined) return [];
  const outcome = reviews.size === 0 ? undefined : reviews.get(reviewKey(task.id, last.fence))?.outcome;
  return [...(outcome?.findings ?? []), ...(last.handover?.findings ?? [])];
}

function blockersOf({ phase, history }: TaskState): string[] {
  const own = history.at(-1)?.handover?.blockers ?? [];
  return phase.kind === 'failed' ? [failureLine(phase.failure), ...own] : [...own];
}
