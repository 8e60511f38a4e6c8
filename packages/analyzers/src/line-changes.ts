/** Edits beyond this are not looked for one by one; the whole differing middle then counts as changed. */
const editsMax = 4_000;

/** The lines of `after` that differ from `before`: ranges of lines, 1-based, both ends included. */
export function changedLineRanges(before: string, after: string): [number, number][] {
  const old = linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let tail = 0;
  while (
    tail < old.length - start &&
    tail < now.length - start &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  )
    tail += 1;
  const middle = differing(old.slice(start, old.length - tail), now.slice(start, now.length - tail));
  return rangesOf(middle.map((index) => index + start + 1));
}

/** Line ends do not count: a checkout may have others than the commit. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Indices of the new lines that are in no shortest way from the old ones (Myers, "An O(ND) Difference Algorithm"). */
function differing(old: readonly string[], now: readonly string[]): number[] {
  const all = Array.from(now.keys());
  if (old.length === 0 || now.length === 0) return all;
  const max = Math.min(old.length + now.length, editsMax);
  // trace[d][k + d] is how far the best way of d edits gets on diagonal k.
  const trace: Int32Array[] = [];
  let front = new Int32Array(3);
  for (let edits = 0; edits <= max; edits += 1) {
    const next = new Int32Array(2 * edits + 3);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = (k: number): number => front[k + edits] ?? 0;
      const goesDown = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
      let x = edits === 0 ? 0 : goesDown ? at(diagonal + 1) : at(diagonal - 1) + 1;
      let y = x - diagonal;
      while (x < old.length && y < now.length && old[x] === now[y]) {
        x += 1;
        y += 1;
      }
      next[diagonal + edits + 1] = x;
      if (x >= old.length && y >= now.length) return addedOn(trace, { edits, x, y });
    }
    trace.push(next);
    front = next;
  }
  return all;
}

/** Walks the ways back and collects where a new line came in. */
function addedOn(
  trace: readonly Int32Array[],
  end: { readonly edits: number; readonly x: number; readonly y: number },
): number[] {
  const added: number[] = [];
  let { x, y } = end;
  for (let edits = end.edits; edits > 0; edits -= 1) {
    const front = trace[edits - 1] ?? new Int32Array(0);
    const at = (k: number): number => front[k + edits] ?? 0;
    const diagonal = x - y;
    const goesDown = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const beforeX = goesDown ? at(diagonal + 1) : at(diagonal - 1);
    const beforeY = beforeX - (goesDown ? diagonal + 1 : diagonal - 1);
    if (goesDown) added.push(beforeY);
    x = beforeX;
    y = beforeY;
  }
  return added.reverse();
}

function rangesOf(lines: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges;
}
