import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';

/** Walks a checkout by name, links not followed; folders for which `enter` says no are named but not entered. */
export function* walkTree(
  root: string,
  enter: (path: string) => boolean,
  below = '',
): Generator<{ path: string; entry: Dirent }> {
  const entries = readdirSync(join(root, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    yield { path, entry };
    if (entry.isDirectory() && enter(path)) yield* walkTree(root, enter, path);
  }
}

/** Folders that belong to tools, not to the code: never looked into for manifests or scratch places. */
export function isToolFolder(path: string): boolean {
  return /(^|\/)(\.git|node_modules|\.venv|venv)$/.test(path);
}
