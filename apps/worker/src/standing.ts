import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** What stands at a path of a checkout, links not followed. */
export type Standing = 'nothing' | 'folder' | 'file' | 'link' | 'behind-link';

/**
 * Looks at `path` below `root` one part at a time. `behind-link`: it is not below the root by name alone, since a
 * parent is a link or a file, or `..`.
 */
export function standingAt(root: string, path: string): Standing {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) return 'behind-link';
  let current = root;
  let found: Standing = 'folder';
  for (const part of parts) {
    if (found === 'nothing') return 'nothing';
    if (found !== 'folder') return 'behind-link';
    current = join(current, part);
    found = kindOf(current);
  }
  return found;
}

function kindOf(path: string): Exclude<Standing, 'behind-link'> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'nothing';
  if (stat.isSymbolicLink()) return 'link';
  return stat.isDirectory() ? 'folder' : 'file';
}
