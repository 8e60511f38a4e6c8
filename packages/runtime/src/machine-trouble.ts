import { statfsSync } from 'node:fs';
import { AppError, isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';

/** What the machine is out of, as an operating error. */
export interface MachineTrouble {
  readonly code: ErrorCode;
  readonly text: string;
}

/** Answers of the operating system that say nothing about what was asked for: the machine is out of something. */
const troubles: ReadonlyMap<string, MachineTrouble> = new Map([
  ['ENOSPC', { code: 'E_DISK_FULL', text: 'the disk is full' }],
  ['EDQUOT', { code: 'E_DISK_FULL', text: 'the quota of the disk is used up' }],
  ['EROFS', { code: 'E_IO', text: 'the file system is read-only' }],
  ['EIO', { code: 'E_IO', text: 'the disk cannot be read or written' }],
  ['EMFILE', { code: 'E_IO', text: 'the process has too many files open' }],
  ['ENFILE', { code: 'E_IO', text: 'the machine has too many files open' }],
  ['ENOMEM', { code: 'E_IO', text: 'the machine is out of memory' }],
  ['EAGAIN', { code: 'E_IO', text: 'the machine has nothing to spare at the moment' }],
]);

/** What the machine is out of, by the code of what was thrown; undefined where that does not say so. */
export function machineTrouble(thrown: unknown): MachineTrouble | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? troubles.get(thrown.code) : undefined;
}

/** A disk with less room takes not even a line of text. */
const leastBytes = 64 * 1024;

/** Whether the disk of a folder is full. Throws what the system says of a folder that cannot be reached. */
export function isDiskFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < leastBytes;
}

/**
 * The operating error that was thrown: an AppError as it is, and E_DISK_FULL or E_IO where the machine is out of
 * something. Undefined for anything else, which is a bug.
 */
export function operatingError(thrown: unknown): AppError | undefined {
  if (isAppError(thrown)) return thrown;
  const trouble = machineTrouble(thrown);
  return trouble && new AppError(trouble.code, `${trouble.text}: ${messageOf(thrown)}`, { cause: thrown });
}
