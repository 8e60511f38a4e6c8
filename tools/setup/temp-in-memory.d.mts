/** What decides; the machine's own where it is left out. */
export interface Machine {
  readonly tmp: () => string;
  readonly availableBytes: () => number;
  readonly canMount: () => boolean;
}
export function withTempInMemory(
  command: readonly string[],
  root: string,
  machine?: Machine,
): readonly string[];
