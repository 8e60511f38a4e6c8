export function endDaemonsOf(
  folder: string,
  times?: { askedMs?: number; killedMs?: number },
): Promise<boolean>;
export function removeAll(paths: readonly string[]): Promise<string | undefined>;
