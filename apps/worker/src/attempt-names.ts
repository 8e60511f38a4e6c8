import { createHash } from 'node:crypto';
import { slugOf, type AttemptKey } from '@switchyard/protocol';

/** Names an attempt within this process. */
export function keyOf(attempt: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>): string {
  return `${attempt.run}/${attempt.taskId}#${attempt.fence}`;
}

/** The part of a payload that names its attempt. */
export function attemptOf(payload: AttemptKey): AttemptKey {
  const { run, taskId, attempt, fence } = payload;
  return { run, taskId, attempt, fence };
}

/** The task in refs and folders: readable, and unique by a digest, since slugs are not. */
export function taskSlug(taskId: string): string {
  return `${slugOf(taskId)}-${createHash('sha256').update(taskId).digest('hex').slice(0, 8)}`;
}

/** Where the attempt's commit is pushed to. */
export function attemptRef(attempt: AttemptKey): string {
  return `refs/switchyard/attempts/${attempt.run}/${taskSlug(attempt.taskId)}/${attempt.fence}`;
}

/** The attempt's folder among all of this worker. */
export function attemptFolder(attempt: AttemptKey): string {
  return `${attempt.run}.${taskSlug(attempt.taskId)}.${attempt.fence}`;
}
