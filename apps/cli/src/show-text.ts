import type { Terminal } from './terminal.ts';

/** What moves the cursor or forges lines, and what makes text show in another order than it has. */
const deceptive = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Text of others for a screen: one line, nothing deceptive. */
export function oneLine(text: string): string {
  return text.replace(new RegExp(`${deceptive.source}+`, 'gu'), ' ').trim();
}

/** Several lines of others for a screen, with a mark in the place of each sign that is deceptive. */
export function plainLines(text: string): string {
  return text.replace(new RegExp(`(?![\\n\\t])${deceptive.source}`, 'gu'), '\u{fffd}');
}

/** Cut to a width, with a mark that something is missing. */
export function cutTo(text: string, width: number): string {
  const letters = [...text]; // oxlint-disable-line no-misused-spread -- code points are near enough to letters
  if (columnsOf(text) <= width) return text;
  while (letters.length > 0 && columnsOf(letters.join('')) > Math.max(0, width - 1)) letters.pop();
  return `${letters.join('')}…`;
}

/** Filled up with spaces to a width. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}

/** Letters that stand above others take no column, those of East Asia and emoji two. */
const noColumn = /^(?:\p{Mn}|\p{Me}|[\u200b-\u200d])$/u;
const twoColumns =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]$/u;

/** How many columns of a screen a text takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const letter of text) columns += noColumn.test(letter) ? 0 : twoColumns.test(letter) ? 2 : 1;
  return columns;
}

/** Where lines are folded: at the width of a screen; what goes into a file or a pipe stays as it is. */
export function foldWidth({ isScreen, columns }: Pick<Terminal, 'isScreen' | 'columns'>): number {
  return isScreen ? columns() : Infinity;
}

/** No text is folded to less, however narrow the screen. */
const foldedMin = 20;

/**
 * A text as lines of at most a width, folded between words. What stands between backquotes is one word: a command is
 * typed as it is shown.
 */
export function foldText(text: string, width: number): string[] {
  const room = Math.max(foldedMin, width);
  if (columnsOf(text) <= room) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/(?:`[^`]*`|[^\s`]|`)+/gu) ?? []) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && columnsOf(longer) > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** A length of time for people: `0.4s`, `12s`, `3m05s`, `1h02m`. */
export function durationText(ms: number): string {
  if (ms < 0) return '0s';
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

export interface TableOptions {
  /** Of the screen. */
  readonly width?: number;
  /** The last column holds commands, which are not folded. */
  readonly isTyped?: boolean;
}

/** How far in stands what has no room beside the first columns. */
const belowIndent = 4;

/**
 * Rows as columns of equal width, two spaces apart; the last column is not padded. Columns that a screen has no room for
 * go on below, and the last one is folded there: a row may be of several lines.
 */
export function tableText(
  rows: readonly (readonly string[])[],
  { width = Infinity, isTyped = false }: TableOptions = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, columnsOf(cell));
  const bands = bandsOf(widths, width, isTyped);
  const last = widths.length - 1;
  return rows.map((row) =>
    bands
      .map(({ indent, from, to }) => {
        const cells = row.slice(from, to + 1);
        const padded = cells.map((cell, at) =>
          from + at === last ? '' : padTo(cell, widths[from + at] ?? 0),
        );
        if (to < last) return `${' '.repeat(indent)}${padded.join('  ')}`.trimEnd();
        const head = `${' '.repeat(indent)}${padded.join('  ')}`;
        const end = row[last] ?? '';
        const lines = isTyped ? [end] : foldText(end, width - columnsOf(head));
        return `${head}${lines.join(`\n${' '.repeat(columnsOf(head))}`)}`.trimEnd();
      })
      .filter((text, at) => at === 0 || text !== '')
      .join('\n'),
  );
}

/** Columns that stand beside each other. */
interface Band {
  readonly indent: number;
  readonly from: number;
  to: number;
}

function bandsOf(widths: readonly number[], width: number, isTyped: boolean): Band[] {
  const bands: Band[] = [{ indent: 0, from: 0, to: 0 }];
  let used = 0;
  for (const [at, own] of widths.entries()) {
    const band = bands.at(-1);
    const isFolded = at === widths.length - 1 && !isTyped;
    const least = isFolded ? Math.min(own, Math.max(foldedMin, width / 2)) : own;
    if (band === undefined || (at > 0 && used + least > width)) {
      bands.push({ indent: belowIndent, from: at, to: at });
      used = belowIndent;
    } else band.to = at;
    used += own + 2;
  }
  return bands;
}

/** The moment on this machine's clock, to the minute. */
export function momentText(at: number): string {
  const date = new Date(at);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
