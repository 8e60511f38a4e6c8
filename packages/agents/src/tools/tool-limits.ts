/** Limits of what one call of a tool gives to the model, and of what it may ask. Characters, counts, milliseconds. */
export const toolLimits = {
  pathChars: 4_096,
  readLines: 2_000,
  readChars: 60_000,
  lineChars: 2_000,
  listEntries: 500,
  searchHits: 200,
  outputChars: 16_000,
  answerChars: 80_000,
  /** Of content that a call writes; the guard's own limit for a file is larger. */
  contentChars: 4_000_000,
  commandMs: 600_000,
  commandDefaultMs: 120_000,
  /** Files that a ranked search looks at, and how much of each. */
  rankedFiles: 5_000,
  rankedFileBytes: 256 * 1024,
  rankedBytes: 32 * 1024 * 1024,
  rankedHits: 10,
  /** How long a ranked search holds up everything else before it lets others run. */
  turnMs: 20,
} as const;

/** The head and the tail of a long text, with what was left out in words. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const head = Math.floor(charsMax / 3);
  const tail = charsMax - head;
  return `${text.slice(0, head)}\n[… ${text.length - charsMax} characters left out …]\n${text.slice(-tail)}`;
}
