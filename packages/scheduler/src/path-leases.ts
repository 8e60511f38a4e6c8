import { CopyOnWriteMap } from './copy-on-write-map.ts';

/**
 * The paths that tasks hold, so that whether a workspace is free costs its depth, not the number of holders. Counts,
 * because one task may name a path and a folder above it.
 */
export interface PathLeases {
  /** Path → how often it is held. */
  readonly held: Map<string, number>;
  /** Folder → how many held paths lie beneath it. */
  readonly above: Map<string, number>;
}

/** No paths held. */
export function noPathLeases(): PathLeases {
  return { held: new Map(), above: new Map() };
}

/** A copy that can be changed for itself; costs nothing until it is. */
export function copyPathLeases({ held, above }: PathLeases): PathLeases {
  const same = (count: number): number => count;
  return { held: new CopyOnWriteMap(held, same), above: new CopyOnWriteMap(above, same) };
}

/** Whether no path of the workspace is, contains, or lies in a held one. */
export function areFree(leases: PathLeases, workspace: readonly string[]): boolean {
  return workspace.every(
    (path) =>
      !leases.held.has(path) &&
      !leases.above.has(path) &&
      foldersAbove(path).every((folder) => !leases.held.has(folder)),
  );
}

/** Holds every path of a workspace. */
export function holdPaths(leases: PathLeases, workspace: readonly string[]): void {
  count(leases, workspace, 1);
}

/** Gives back what `holdPaths` took. */
export function releasePaths(leases: PathLeases, workspace: readonly string[]): void {
  count(leases, workspace, -1);
}

function count(leases: PathLeases, workspace: readonly string[], by: number): void {
  for (const path of workspace) {
    add(leases.held, path, by);
    for (const folder of foldersAbove(path)) add(leases.above, folder, by);
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

/** `a/b/c` → `a/b`, `a`, `.` ; the root has nothing above it. */
function foldersAbove(path: string): string[] {
  if (path === '.') return [];
  const folders = ['.'];
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1))
    folders.push(path.slice(0, end));
  return folders;
}
