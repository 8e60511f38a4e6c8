import { existsSync, statSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { markFileOf, readMark, type MarkReading } from './mark.ts';

/**
 * Before SQLite makes a new file: a journal that was there has not gone. Throws AppError E_STATE_DAMAGED. (SQLite
 * would also throw away the write-ahead log of the file that has gone.)
 */
export function requireNotGone(file: string): void {
  if (existsSync(file) && statSync(file).size > 0) return;
  const reading = readMark(markFileOf(file));
  const seq = reading.kind === 'mark' ? reading.mark.seq : 0;
  if (seq === 0 && !hasLog(file)) return;
  const known = seq === 0 ? 'its write-ahead log is still there' : `it had ${seq} facts`;
  throw new AppError(
    'E_STATE_DAMAGED',
    `${file} is gone, and ${known}; put it back from a copy, or move its whole folder away to begin anew`,
    { details: { file, seq } },
  );
}

/**
 * For a journal in which there is nothing, not even a table: nothing was ever acknowledged. The first tables and all
 * facts are in the write-ahead log alone until it is first moved over. Throws AppError E_STATE_DAMAGED.
 */
export function requireNeverBegun(file: string, reading: MarkReading): void {
  const seq = reading.kind === 'mark' ? reading.mark.seq : 0;
  if (seq === 0) return;
  const all = seq === 1 ? 'the only fact' : `all ${seq} facts`;
  const lost = hasLog(file) ? 'is cut or damaged' : 'is missing';
  throw brokenError(
    file,
    seq,
    `${all} that had been acknowledged are gone: its write-ahead log ${file}-wal ${lost}`,
  );
}

/** What the mark beside an open journal means for it. */
export type MarkVerdict =
  /** Everything that was acknowledged is there. */
  | { readonly kind: 'sound' }
  /** Nothing can be told: there is no mark, or it cannot be read. */
  | { readonly kind: 'untold'; readonly text: string }
  | { readonly kind: 'broken'; readonly error: AppError };

/** Compares a journal that was opened, its name and its last fact, with what its mark says. */
export function judgeMark(
  file: string,
  opened: { readonly journal: string; readonly lastSeq: number },
  reading: MarkReading = readMark(markFileOf(file)),
): MarkVerdict {
  const { lastSeq } = opened;
  const markFile = markFileOf(file);
  if (reading.kind === 'none') return { kind: 'untold', text: `${markFile} is not there` };
  if (reading.kind === 'unreadable') return { kind: 'untold', text: `${markFile} cannot be read` };
  const { journal, seq } = reading.mark;
  if (journal !== opened.journal && seq > 0) return broken(file, seq, 'it was replaced by another journal');
  if (seq <= lastSeq) return { kind: 'sound' };
  const missing = seq === lastSeq + 1 ? `fact ${seq} is` : `facts ${lastSeq + 1} to ${seq} are`;
  const log = hasLog(file) ? 'is cut or damaged' : 'is missing';
  const how = `its write-ahead log ${log}, or an older copy was put in its place`;
  return broken(file, seq, `${missing} missing at its end, which had been acknowledged (${how})`);
}

function broken(file: string, seq: number, what: string): MarkVerdict {
  return { kind: 'broken', error: brokenError(file, seq, what) };
}

function brokenError(file: string, seq: number, what: string): AppError {
  return new AppError(
    'E_STATE_DAMAGED',
    `${file}: ${what}; put the file and its -wal back from a copy, or remove ${markFileOf(file)} to go on without what is missing`,
    { details: { file, seq } },
  );
}

/** An empty write-ahead log is as good as none. */
export function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
