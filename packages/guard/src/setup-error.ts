import { AppError, isAppError } from '@switchyard/protocol';

/** What the system answers while a sandbox is prepared or started, as E_SANDBOX; all else as it is. */
export function setupError(error: unknown): unknown {
  // File descriptors that are used up, memory, a folder that is gone.
  if (isAppError(error) || !(error instanceof Error && 'syscall' in error)) return error;
  return new AppError('E_SANDBOX', `The sandbox could not be set up: ${error.message}`, { cause: error });
}
