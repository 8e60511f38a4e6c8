/** Sets of small numbers as bits, so that the order of 10,000 tasks fits in 25 MB and is compared by the word. */
export type BitRow = Uint32Array;

/** An empty set that can hold 0 to `count - 1`. */
export function emptyRow(count: number): BitRow {
  return new Uint32Array((count + 31) >>> 5);
}

/** Puts a number in. */
export function addBit(row: BitRow, index: number): void {
  row[index >>> 5] = (row[index >>> 5] ?? 0) | (1 << (index & 31));
}

/** Whether a number is in. */
export function hasBit(row: BitRow, index: number): boolean {
  return ((row[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
}

/** Puts all of `from` in. */
export function addAll(into: BitRow, from: BitRow): void {
  for (let word = 0; word < into.length; word += 1) into[word] = (into[word] ?? 0) | (from[word] ?? 0);
}

/** The numbers of `row` that are not in `without`, ascending. */
export function* bitsOf(row: BitRow, without: BitRow): Generator<number> {
  for (let word = 0; word < row.length; word += 1) {
    let rest = ((row[word] ?? 0) & ~(without[word] ?? 0)) >>> 0;
    while (rest !== 0) {
      const bit = 31 - Math.clz32(rest & -rest);
      yield word * 32 + bit;
      rest = (rest & (rest - 1)) >>> 0;
    }
  }
}
