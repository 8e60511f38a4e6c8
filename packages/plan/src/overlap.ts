/** The first pair of paths that overlap. */
export function overlappingPaths(
  a: readonly string[],
  b: readonly string[],
): readonly [string, string] | undefined {
  for (const left of a) {
    for (const right of b) if (contains(left, right) || contains(right, left)) return [left, right];
  }
  return undefined;
}

/** Whether `path` is `folder` or lies inside it. */
export function contains(folder: string, path: string): boolean {
  return folder === '.' || folder === path || path.startsWith(`${folder}/`);
}
