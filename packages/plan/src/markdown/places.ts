import type { Place } from '../problem.ts';

/** Offsets in its text: where it begins, and where its break or the text's end is. */
interface Line {
  readonly begin: number;
  readonly end: number;
}

interface PlacedText {
  readonly file: string;
  readonly start: number;
  readonly lines: readonly Line[];
  readonly length: number;
}

/**
 * Places in several texts by one number: the plan begins at 0, each document behind the one before it, so that a node
 * of any of them can stand in one tree.
 */
export class Places {
  private readonly texts: PlacedText[] = [];

  /** The number at which the text begins. */
  add(file: string, text: string): number {
    const last = this.texts.at(-1);
    const start = last === undefined ? 0 : last.start + last.length + 1;
    this.texts.push({ file, start, length: text.length, lines: linesOf(text) });
    return start;
  }

  placeOf(offset: number): Place {
    const text = this.texts.findLast(({ start }) => start <= offset) ?? this.texts[0];
    if (text === undefined) return { file: '', line: 1, column: 1 };
    const at = Math.max(0, Math.min(offset - text.start, text.length));
    const index = lastAtMost(text.lines, at);
    const { begin, end } = text.lines[index] ?? { begin: 0, end: 0 };
    // Between \r and \n no editor puts a cursor.
    return { file: text.file, line: index + 1, column: Math.min(at, end) - begin + 1 };
  }

  lineOf(offset: number): number {
    return this.placeOf(offset).line;
  }
}

function linesOf(text: string): Line[] {
  const breaks = [...text.matchAll(/\r\n|\n|\r/g)];
  const begins = [0, ...breaks.map(({ index, 0: { length } }) => index + length)];
  return begins.map((begin, index) => ({ begin, end: breaks[index]?.index ?? text.length }));
}

/** The index of the last line that begins at most at `offset`; the first does. */
function lastAtMost(lines: readonly Line[], offset: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle]?.begin ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
