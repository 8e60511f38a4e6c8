/**
 * Whether one workspace holds the other's place: equal paths, or one a folder above the other. Paths are
 * normalized and relative, `.` for the root of the repository; an empty workspace overlaps nothing.
 */
export function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.some((other) => holds(one, other) || holds(other, one)));
}

function holds(folder: string, path: string): boolean {
  return folder === '.' || folder === path || path.startsWith(`${folder}/`);
}
