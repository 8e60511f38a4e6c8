import type { ChildProcess } from 'node:child_process';
import { AppError } from '@switchyard/protocol';

/** Where descriptors are used up, nothing is made, and only an event tells. Throws E_SANDBOX. */
export function checkStarted(child: ChildProcess): void {
  if ((child.stdio as ChildProcess['stdio'] | undefined) !== undefined) return;
  child.once('error', () => undefined);
  throw new AppError(
    'E_SANDBOX',
    'The sandbox could not be started: this process has no file descriptors left',
  );
}
