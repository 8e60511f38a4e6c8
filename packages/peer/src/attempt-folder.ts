import { createHash } from 'node:crypto';
import { slugOf, type AttemptKey } from '@switchyard/protocol';

/** The task in refs and folders: readable, and unique by a digest, since slugs are not. */
export function taskSlug(taskId: string): string {
  return `${slugOf(taskId)}-${createHash('sha256').update(taskId).digest('hex').slice(0, 8)}`;
}

/** The name of an attempt's folder among all of its worker, and of its transcript. */
export function attemptFolder(attempt: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>): string {
  return `${attempt.run}.${taskSlug(attempt.taskId)}.${attempt.fence}`;
}
