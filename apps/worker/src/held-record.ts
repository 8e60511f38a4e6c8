import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, commitId, messageOf, taskAssignment } from '@switchyard/protocol';
import { z } from 'zod';

const heldRecord = z.object({
  version: z.literal(1),
  assignment: taskAssignment,
  /** Places that are no work of the attempt; absent: its first command has not begun. */
  exclude: z.array(z.string()).optional(),
  /** What it had done, where the orchestrator could not be told: a commit of the object cache. */
  wip: commitId.optional(),
});

/** What a worker that was killed knows of an attempt it held: a file in the attempt's folder, outside its sandbox. */
export type HeldRecord = z.infer<typeof heldRecord>;

function fileIn(folder: string): string {
  return join(folder, 'held.json');
}

/** Notes what is known; the file is whole at any time. */
export function writeHeld(folder: string, record: Omit<HeldRecord, 'version'>): void {
  const file = fileIn(folder);
  writeFileSync(`${file}.new`, JSON.stringify({ version: 1, ...record }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Reads what is known. Throws AppError E_STATE_DAMAGED where it is not there or not whole. */
export function readHeld(folder: string): HeldRecord {
  try {
    return heldRecord.parse(JSON.parse(readFileSync(fileIn(folder), 'utf8')));
  } catch (cause) {
    throw new AppError('E_STATE_DAMAGED', `${fileIn(folder)} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
