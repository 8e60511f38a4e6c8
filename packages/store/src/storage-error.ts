import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';
import { machineTrouble, type MachineTrouble } from '@switchyard/runtime';

/** What errors of SQLite and refusals of the file system mean to us, by the start of their code. */
const meanings: readonly (readonly [prefix: string, code: ErrorCode, text: string])[] = [
  ['SQLITE_FULL', 'E_DISK_FULL', 'the disk is full'],
  ['SQLITE_CORRUPT', 'E_STATE_DAMAGED', 'the file is damaged'],
  ['SQLITE_NOTADB', 'E_STATE_DAMAGED', 'the file is no database, or its first page is damaged'],
  ['SQLITE_BUSY', 'E_STATE_LOCKED', 'another process holds the file'],
  ['SQLITE_LOCKED', 'E_STATE_LOCKED', 'another process holds the file'],
  ['SQLITE_CONSTRAINT', 'E_STATE_LOCKED', 'another process has written to the file'],
  ['SQLITE_READONLY', 'E_STORAGE', 'the file or its folder is read-only'],
  ['EACCES', 'E_STORAGE', 'the permissions forbid it'],
  ['EPERM', 'E_STORAGE', 'the permissions forbid it'],
];

/** Turns anything that a file or SQLite threw into an AppError that names the file. */
export function storageError(thrown: unknown, file: string): AppError {
  if (isAppError(thrown)) return thrown;
  const words = `${codeOf(thrown)} ${messageOf(thrown)}`;
  const { code, text } = outOf(thrown) ?? meaningOf(words) ?? unknownTrouble(file);
  return new AppError(code, `${file}: ${text} (${words.trim()})`, { cause: thrown, details: { file } });
}

/** Whatever else the machine is out of, here it is the state folder that cannot be used. */
function outOf(thrown: unknown): MachineTrouble | undefined {
  const trouble = machineTrouble(thrown);
  return trouble?.code === 'E_IO' ? { ...trouble, code: 'E_STORAGE' } : trouble;
}

function meaningOf(words: string): MachineTrouble | undefined {
  const found = meanings.find(([prefix]) => words.includes(prefix));
  return found && { code: found[1], text: found[2] };
}

/** SQLite calls some full disks (quotas, file size limits) plain I/O errors. */
function unknownTrouble(file: string): MachineTrouble {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    if (bavail * bsize < 65_536) return { code: 'E_DISK_FULL', text: 'the disk is full' };
  } catch {
    // The folder itself is gone: what was thrown says enough.
  }
  return { code: 'E_STORAGE', text: 'it cannot be read or written' };
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
