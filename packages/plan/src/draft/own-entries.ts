/**
 * What is left of a folder beside other folders inside it: the folder itself if there is none inside, else the files and
 * folders in it that hold no other. So the workspaces of nested projects do not overlap.
 */
export function ownEntries(root: string, others: readonly string[], paths: readonly string[]): string[] {
  const inside = others.filter((other) => other !== root && isWithin(root, other));
  if (inside.length === 0) return [root];
  const entries = new Set(paths.filter((path) => isWithin(root, path)).map((path) => entryOf(root, path)));
  return [...entries].toSorted().flatMap((entry) => {
    if (inside.includes(entry)) return [];
    return inside.some((other) => isWithin(entry, other)) ? ownEntries(entry, inside, paths) : [entry];
  });
}

/** Whether a path lies inside a folder; `.` holds everything. */
export function isWithin(folder: string, path: string): boolean {
  return folder === '.' ? path !== '.' : path.startsWith(`${folder}/`);
}

function entryOf(root: string, path: string): string {
  const rest = root === '.' ? path : path.slice(root.length + 1);
  const first = rest.split('/', 1).join('');
  return root === '.' ? first : `${root}/${first}`;
}
