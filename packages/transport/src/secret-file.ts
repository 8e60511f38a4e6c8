import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';
import { machineTrouble } from '@switchyard/runtime';

/**
 * Writes a file that only its owner can read, whole or not at all: a temporary file beside it, synced, renamed.
 * Throws AppError E_STORAGE, E_DISK_FULL.
 */
export function writeSecretFile(file: string, text: string): void {
  const temporary = `${file}.new-${process.pid}`;
  try {
    const descriptor = openSync(temporary, 'w', 0o600);
    try {
      fchmodSync(descriptor, 0o600);
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (cause) {
    rmSync(temporary, { force: true });
    const code = machineTrouble(cause)?.code === 'E_DISK_FULL' ? 'E_DISK_FULL' : 'E_STORAGE';
    throw new AppError(code, `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** Reads a file, or undefined when there is none. Throws AppError E_STORAGE. */
export function readSecretFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('E_STORAGE', `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Makes a rename last through a power cut. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
