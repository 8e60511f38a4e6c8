import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** How far the journal was when somebody was last told so. */
export interface Mark {
  readonly journal: string;
  readonly seq: number;
}

/** What a mark file says: nothing, because there is none; nothing readable; or a mark. */
export type MarkReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'mark'; readonly mark: Mark };

const name = 'switchyard-mark-1';

/** Where the mark of a journal lies. */
export function markFileOf(journalFile: string): string {
  return `${journalFile.replace(/\.db$/, '')}.mark`;
}

/** Reads a mark. Throws what the file system says, but for a file that is not there. */
export function readMark(file: string): MarkReading {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' };
    throw error;
  }
  const [, journal = '', digits = ''] = text.split(' ');
  const mark = { journal, seq: Number(digits) };
  return text === textOf(mark) ? { kind: 'mark', mark } : { kind: 'unreadable' };
}

/**
 * The high-water mark, in a file of one line that is overwritten after each commit and never synced: it costs a
 * system call, and it is never ahead of the journal. SQLite ends its reading of a write-ahead log at the first frame
 * whose checksum is wrong, be it a torn end that nobody was told of or a byte that was lost in the middle; the mark
 * tells the two apart.
 */
export class MarkFile {
  private fd: number | undefined;
  private readonly journal: string;

  constructor(file: string, journal: string) {
    closeSync(openSync(file, 'a', 0o600));
    this.fd = openSync(file, 'r+');
    this.journal = journal;
    // All lines are of one length, so that it is whole at every moment; what is not ours goes.
    if (fstatSync(this.fd).size !== textOf({ journal, seq: 0 }).length) ftruncateSync(this.fd);
  }

  write(seq: number): void {
    if (this.fd !== undefined) writeSync(this.fd, textOf({ journal: this.journal, seq }), 0);
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}

function textOf({ journal, seq }: Mark): string {
  const line = `${name} ${journal} ${String(seq).padStart(16, '0')}`;
  return `${line} ${crc32(line).toString(16).padStart(8, '0')}\n`;
}
