import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';

/** A file that is open for writing. What goes wrong is thrown as the file system says it. */
export interface StoredFile {
  /** Writes some of the bytes at a place; the answer is how many. */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void>;
  /** Writes at the beginning and waits. */
  writeNow(bytes: Uint8Array): void;
  /** Cuts the end off. */
  truncateNow(length: number): void;
  syncNow(): void;
  close(): void;
}

/** What is needed of a file system: this machine's, or the simulation's. */
export interface FileStore {
  /** Undefined: there is no such file. */
  read(file: string): Buffer | undefined;
  /** Opens a file that is there. */
  open(file: string): StoredFile;
  /** Makes an empty file, in place of what is there. */
  create(file: string): StoredFile;
  rename(from: string, to: string): void;
  /** Makes a new or renamed file of a folder last. */
  syncFolder(folder: string): void;
}

/** The file system of this machine. */
export const machineFiles: FileStore = {
  read: readIfThere,
  open: (file) => fileOf(openSync(file, 'r+')),
  create: (file) => fileOf(openSync(file, 'w+', 0o600)),
  rename: renameSync,
  syncFolder(folder) {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
};

const writeAt = promisify(write);
const syncData = promisify(fdatasync);

function fileOf(descriptor: number): StoredFile {
  return {
    write: async (bytes, at) => (await writeAt(descriptor, bytes, 0, bytes.length, at)).bytesWritten,
    sync: () => syncData(descriptor),
    writeNow: (bytes) => void writeSync(descriptor, bytes, 0, bytes.length, 0),
    truncateNow: (length) => ftruncateSync(descriptor, length),
    syncNow: () => fsyncSync(descriptor),
    close: () => closeSync(descriptor),
  };
}

/** Undefined: there is no such file. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
