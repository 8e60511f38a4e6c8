import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError, messageOf, type ErrorCode } from '@switchyard/protocol';

/**
 * Puts a text in the place of a file, whole or not at all, and durably; what was there before stays as the backup, where
 * one is named. At every moment there is a whole file, old or new. Throws AppError E_DISK_FULL, E_ACCESS, E_IO.
 */
export function replaceFile(file: string, text: string, backup?: string): void {
  const temporary = `${file}.new-${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    writeDurably(temporary, text, mode);
    if (backup !== undefined && mode !== undefined) keepAs(file, backup);
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new AppError(codeOf(cause), `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

function writeDurably(file: string, text: string, mode: number | undefined): void {
  rmSync(file, { force: true });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const handle = openSync(file, flags, (mode ?? 0o644) & 0o777);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** The present file under another name as well, without a moment in which the backup is no whole file. */
function keepAs(file: string, backup: string): void {
  const temporary = `${backup}.new-${process.pid}`;
  rmSync(temporary, { force: true });
  mkdirSync(dirname(backup), { recursive: true });
  try {
    linkSync(file, temporary);
  } catch {
    // File systems without hard links: a copy does.
    copyFileSync(file, temporary);
  }
  renameSync(temporary, backup);
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function codeOf(cause: unknown): ErrorCode {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'E_DISK_FULL';
  return ['EACCES', 'EPERM', 'EROFS'].includes(code) ? 'E_ACCESS' : 'E_IO';
}
