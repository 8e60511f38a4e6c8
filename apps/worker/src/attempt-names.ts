import { taskSlug } from '@switchyard/peer';
import type { AttemptKey, CommitId } from '@switchyard/protocol';

/** Names an attempt within this process. */
export function keyOf(attempt: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>): string {
  return `${attempt.run}/${attempt.taskId}#${attempt.fence}`;
}

/** The part of a payload that names its attempt. */
export function attemptOf(payload: AttemptKey): AttemptKey {
  const { run, taskId, attempt, fence } = payload;
  return { run, taskId, attempt, fence };
}

/** Where the attempt's commit is pushed to. */
export function attemptRef(attempt: AttemptKey): string {
  return `refs/switchyard/attempts/${attempt.run}/${taskSlug(attempt.taskId)}/${attempt.fence}`;
}

/** Where work in progress of the attempt is pushed to, for the orchestrator to keep. */
export function uploadRef(attempt: AttemptKey, commit: CommitId): string {
  return `refs/switchyard/uploads/${attempt.run}/${taskSlug(attempt.taskId)}/${attempt.fence}/${commit}`;
}
