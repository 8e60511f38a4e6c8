/** Where in a text some lines stand, letter for letter or nearly. Pure. */

export interface Match {
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** Gives a line that comes instead the indentation of the place. */
  readonly indent: (line: string) => string;
}

/** Several places that are equally near, by their lines: nobody can say which is meant. */
export interface Ambiguous {
  readonly lines: readonly number[];
}

/**
 * The first place where the lines stand letter for letter, or of several the nearest to the hint. Else the place that
 * differs in blanks at line ends only; else in indentation, the same everywhere. Of such places there must be one, or
 * one that is nearest to the hint.
 */
export function findText(
  text: string,
  wanted: readonly string[],
  hint: number | undefined,
): Match | Ambiguous | undefined {
  const exact = findExact(text, wanted.join('\n'), hint);
  if (exact !== undefined) return exact;
  const lines = splitLines(text);
  for (const fits of [trailingFits, indentedFits]) {
    const found = placesOf(lines, wanted, fits);
    const nearest = hint === undefined ? found : nearestTo(found, hint - 1);
    const [first] = nearest;
    if (first !== undefined && nearest.length > 1) return { lines: nearest.map(({ line }) => line + 1) };
    if (first !== undefined) return matchOf(lines, wanted, first);
  }
  return undefined;
}

const asItIs = (line: string): string => line;

function findExact(text: string, wanted: string, hint: number | undefined): Match | undefined {
  let best: number | undefined;
  let bestAway = Infinity;
  let line = 1;
  let counted = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    line += text.slice(counted, at).split('\n').length - 1;
    counted = at;
    const away = hint === undefined ? 0 : Math.abs(line - hint);
    if (away >= bestAway) break; // further down it is only further away
    best = at;
    bestAway = away;
    if (hint === undefined) break;
  }
  return best === undefined ? undefined : { start: best, end: best + wanted.length, indent: asItIs };
}

interface Line {
  readonly start: number;
  /** Without its line end. */
  readonly text: string;
}

function splitLines(text: string): readonly Line[] {
  let start = 0;
  return text.split('\n').map((whole) => {
    const line = { start, text: whole.replace(/\r$/, '') };
    start += whole.length + 1;
    return line;
  });
}

/** Whether a line of the text is one that is wanted; what it gives is how the place is indented otherwise. */
type Fits = (line: string, wanted: string) => Indentation | undefined;

/** What stands before the wanted lines, and what stands there in the text. */
interface Indentation {
  readonly wanted: string;
  readonly there: string;
}

const same: Indentation = { wanted: '', there: '' };

const trailingFits: Fits = (line, wanted) => (line.trimEnd() === wanted.trimEnd() ? same : undefined);

const indentedFits: Fits = (line, wanted) => {
  if (line.trim() !== wanted.trim()) return undefined;
  return { wanted: leading(wanted), there: leading(line) };
};

function leading(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

interface Place {
  /** Index of the first line. */
  readonly line: number;
  readonly indentation: Indentation;
}

function placesOf(lines: readonly Line[], wanted: readonly string[], fits: Fits): Place[] {
  const places: Place[] = [];
  for (let at = 0; at + wanted.length <= lines.length; at += 1) {
    const indentation = indentationAt(lines, { at, wanted, fits });
    if (indentation !== undefined) places.push({ line: at, indentation });
  }
  return places;
}

/** How all lines of a place are indented otherwise, the same for each; undefined when they do not fit. */
function indentationAt(
  lines: readonly Line[],
  { at, wanted, fits }: { readonly at: number; readonly wanted: readonly string[]; readonly fits: Fits },
): Indentation | undefined {
  let shared: Indentation | undefined;
  for (const [index, text] of wanted.entries()) {
    const found = fits(lines[at + index]?.text ?? '', text);
    if (found === undefined) return undefined;
    if (text.trim() === '') continue;
    shared ??= found;
    if (reindent(found.wanted, shared) !== found.there) return undefined;
  }
  return shared;
}

/** An indentation as it is at the place: deeper stays deeper by the same, less deep becomes less deep. */
function reindent(indentation: string, { wanted, there }: Indentation): string {
  if (indentation.startsWith(wanted)) return there + indentation.slice(wanted.length);
  return there.slice(0, Math.max(0, there.length - (wanted.length - indentation.length)));
}

function nearestTo(places: readonly Place[], line: number): readonly Place[] {
  const least = Math.min(...places.map((place) => Math.abs(place.line - line)));
  return places.filter((place) => Math.abs(place.line - line) === least);
}

function matchOf(lines: readonly Line[], wanted: readonly string[], { line, indentation }: Place): Match {
  const last = lines[line + wanted.length - 1];
  return {
    start: lines[line]?.start ?? 0,
    end: (last?.start ?? 0) + (last?.text.length ?? 0),
    indent: (text) =>
      text.trim() === '' ? text : reindent(leading(text), indentation) + text.slice(leading(text).length),
  };
}
