/** Text of others for a screen: one line, no control characters (they could move the cursor or forge lines). */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}

/** Cut to a width, with a mark that something is missing. */
export function cutTo(text: string, width: number): string {
  const letters = [...text]; // oxlint-disable-line no-misused-spread -- code points are near enough to columns
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Filled up with spaces to a width. */
export function padTo(text: string, width: number): string {
  const length = [...text].length; // oxlint-disable-line no-misused-spread -- code points are near enough to columns
  return text + ' '.repeat(Math.max(0, width - length));
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

/** Rows as columns of equal width, two spaces apart; the last column is not padded. */
export function tableText(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : padTo(cell, widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** The moment on this machine's clock, to the minute. */
export function momentText(at: number): string {
  const date = new Date(at);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
