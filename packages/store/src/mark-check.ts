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
  const hasLog = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0;
  if (seq === 0 && !hasLog) return;
  const known = seq === 0 ? 'its write-ahead log is still there' : `it had ${seq} facts`;
  throw new AppError(
    'E_STATE_DAMAGED',
    `${file} is gone, and ${known}; put it back from a copy, or move its whole folder away to begin anew`,
    { details: { file, seq } },
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
  return broken(
    file,
    seq,
    `${missing} missing at its end, which had been acknowledged (its write-ahead log is cut or damaged, or an older copy was put in its place)`,
  );
}

function broken(file: string, seq: number, what: string): MarkVerdict {
  const error = new AppError(
    'E_STATE_DAMAGED',
    `${file}: ${what}; put the file and its -wal back from a copy, or remove ${markFileOf(file)} to go on without what is missing`,
    { details: { file, seq } },
  );
  return { kind: 'broken', error };
}
