import { addBit, bitsOf, emptyRow, type BitRow } from './bit-row.ts';

/** A folder of the tree of workspaces, and which tasks name exactly it. */
interface Folder {
  readonly members: number[];
  readonly children: Map<string, Folder>;
}

/**
 * Pairs of tasks that may run at the same time and whose workspaces overlap, the lower number first, at most
 * `max`. Work grows with the number of paths times the number of tasks divided by 32 (a walk down the tree of
 * folders, carrying the set of tasks that hold a folder above), not with the number of pairs.
 */
export function concurrentOverlaps(
  workspaces: readonly (readonly string[])[],
  ordered: readonly BitRow[],
  max: number,
): [number, number][] {
  const found = new Set<string>();
  const pairs: [number, number][] = [];
  const visit = (folder: Folder, above: BitRow): void => {
    const here = folder.members.length === 0 ? above : above.slice();
    for (const task of folder.members) addBit(here, task);
    for (const task of folder.members) {
      for (const other of bitsOf(here, ordered[task] ?? here)) {
        if (pairs.length >= max) return;
        const pair: [number, number] = task < other ? [task, other] : [other, task];
        if (found.has(pair.join())) continue;
        found.add(pair.join());
        pairs.push(pair);
      }
    }
    for (const next of folder.children.values()) visit(next, here);
  };
  visit(treeOf(workspaces), emptyRow(workspaces.length));
  return pairs;
}

function treeOf(workspaces: readonly (readonly string[])[]): Folder {
  const root: Folder = { members: [], children: new Map() };
  for (const [task, paths] of workspaces.entries()) {
    for (const path of new Set(paths)) folderAt(root, path).members.push(task);
  }
  return root;
}

function folderAt(root: Folder, path: string): Folder {
  let folder = root;
  for (const part of path === '.' ? [] : path.split('/')) {
    const next = folder.children.get(part) ?? { members: [], children: new Map<string, Folder>() };
    folder.children.set(part, next);
    folder = next;
  }
  return folder;
}
