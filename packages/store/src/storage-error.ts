import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';
import { isDiskFull, machineTrouble } from '@switchyard/runtime';

/** What to do about a file that is damaged. */
export const damageMend =
  '`switchyard doctor` lists all that is wrong with it, and a copy of the file from before is what mends it';

const ownerMend = 'give it back to you with chown and chmod';
const writableMend = 'make it writable';
const mountMend = 'mount the disk to be written, or look at a copy of the folder elsewhere';

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
  /** What to do, where the code does not say enough. */
  readonly mend?: string;
}

const fullDisk: Meaning = { code: 'E_DISK_FULL', text: 'the disk is full' };

/** What errors of SQLite and of the file system mean to us, by the start of their code. */
const meanings: Readonly<Record<string, Meaning>> = {
  SQLITE_FULL: fullDisk,
  SQLITE_CORRUPT: { code: 'E_STATE_DAMAGED', text: 'the file is damaged', mend: damageMend },
  SQLITE_NOTADB: {
    code: 'E_STATE_DAMAGED',
    text: 'the file is no database, or its first page is damaged',
    mend: damageMend,
  },
  SQLITE_BUSY: { code: 'E_STATE_LOCKED', text: 'another process holds the file' },
  SQLITE_LOCKED: { code: 'E_STATE_LOCKED', text: 'another process holds the file' },
  SQLITE_CONSTRAINT: { code: 'E_STATE_LOCKED', text: 'another process has written to the file' },
  SQLITE_READONLY: { code: 'E_STORAGE', text: 'the file or its folder is read-only', mend: writableMend },
  EROFS: { code: 'E_STORAGE', text: 'the file system is read-only', mend: mountMend },
  EACCES: { code: 'E_STORAGE', text: 'the permissions forbid it', mend: ownerMend },
  EPERM: { code: 'E_STORAGE', text: 'the permissions forbid it', mend: ownerMend },
};

/** Turns anything that a file or SQLite threw into an AppError that names the file. */
export function storageError(thrown: unknown, file: string): AppError {
  if (isAppError(thrown)) return thrown;
  const words = `${codeOf(thrown)} ${messageOf(thrown)}`.trim();
  const { code, text, mend } = meaningOf(thrown, words) ?? unknownTrouble(words, file);
  const next = mend === undefined ? '' : `; ${mend}`;
  return new AppError(code, `${file}: ${text} (${words})${next}`, { cause: thrown, details: { file } });
}

/** A full disk is one wherever it is met; the rest is told here with what to do about it. */
function meaningOf(thrown: unknown, words: string): Meaning | undefined {
  const trouble = machineTrouble(thrown);
  if (trouble?.code === 'E_DISK_FULL') return trouble;
  return Object.entries(meanings).find(([prefix]) => words.includes(prefix))?.[1];
}

function unknownTrouble(words: string, file: string): Meaning {
  try {
    // SQLite calls some full disks (quotas, file size limits) plain I/O errors.
    if (isDiskFull(dirname(file))) return fullDisk;
    if (/SQLITE_CANTOPEN|ConnectionFailed/.test(words)) return whyNotOpened(file);
  } catch {
    // The folder itself is gone or closed: what was thrown says enough.
  }
  return { code: 'E_STORAGE', text: 'it cannot be read or written' };
}

/** SQLite says only that a file cannot be opened, be it this one or what it has to have beside it. */
function whyNotOpened(file: string): Meaning {
  const code = 'E_STORAGE';
  if (refusalOf(file, constants.R_OK) !== undefined)
    return { code, text: 'it cannot be opened: the permissions forbid it', mend: ownerMend };
  const text = 'it cannot be opened: a write-ahead log is read with a file that is made beside it';
  const refusal = refusalOf(dirname(file), constants.W_OK);
  if (refusal === 'EROFS') return { code, text: `${text}, and the disk is read-only`, mend: mountMend };
  if (refusal !== undefined)
    return { code, text: `${text}, and the permissions of the folder forbid that`, mend: ownerMend };
  return { code, text: 'it cannot be opened', mend: 'see whether you may read it and what lies beside it' };
}

/** The error code with which the system refuses access; undefined: it does not. */
function refusalOf(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
