import { AppError, type PayloadInput } from '@switchyard/protocol';

const attempt = { run: 'run-1', taskId: 'A', attempt: 1, fence: 1 };

/** A durable report whose text is `error`. */
export function failedPayload(error: string): PayloadInput<'task-failed'> {
  return { ...attempt, error, failure: { class: 'logic', code: 'E_COMMAND_FAILED', message: 'm' } };
}

/** A message of the bulk lane whose text is `message`. */
export function progressPayload(message: string): PayloadInput<'task-progress'> {
  return { ...attempt, phase: 'running', message };
}

export const accepted: PayloadInput<'task-accepted'> = attempt;

/** What a promise rejects with, or nothing. */
export async function rejection(promise: Promise<unknown>): Promise<AppError | undefined> {
  try {
    await promise;
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}
