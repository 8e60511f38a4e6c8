import { isAppError, type ErrorCode } from '@switchyard/protocol';
import { storageError } from './storage-error.ts';

/** One thing that somebody found who looked at files of ours without changing them. */
export interface Observation {
  /** What was looked at. */
  readonly name: string;
  readonly state: 'ok' | 'note' | 'wrong';
  readonly text: string;
  readonly code?: ErrorCode;
  /** What to do, where there is something to do. */
  readonly mend?: string;
}

/** What an operating error means for the thing in which it came up. */
export function observedError(name: string, thrown: unknown, file: string): Observation {
  const { code, message } = isAppError(thrown) ? thrown : storageError(thrown, file);
  return { name, state: 'wrong', text: message, code };
}
