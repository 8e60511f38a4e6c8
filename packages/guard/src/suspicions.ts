/** What an entry of a tree is suspected of, whoever made it. Pure. */
import { posix } from 'node:path';
import { foldName } from './name-rules.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { Snapshot } from './snapshot.ts';
import { isBelow } from './toolchains.ts';

export type SuspicionKind = 'symlink-escape' | 'hard-link' | 'special-file' | 'set-id' | 'git-dir';

export interface Suspect {
  readonly path: string;
  readonly entry: SnapshotEntry;
  /** Folders that links may lead to besides the root itself. */
  readonly readable: readonly string[];
}

/** The names by which git takes a folder for a repository. */
export const repositoryNames: ReadonlySet<string> = new Set(['HEAD', 'commondir', 'objects', 'refs']);

/** By what it is and what its name is; a link by the other links of the tree, too. */
export function suspicionsOf(snapshot: Snapshot, suspect: Suspect): SuspicionKind[] {
  const { path, entry } = suspect;
  if (entry.isPlain) return isGitName(path) ? ['git-dir'] : [];
  const found: SuspicionKind[] = [];
  if (entry.kind === 'link' && leadsOut(snapshot, suspect)) found.push('symlink-escape');
  if (entry.kind === 'file' && entry.links > 1) found.push('hard-link');
  if (entry.kind === 'file' && (entry.mode & 0o6000) !== 0) found.push('set-id');
  if (entry.kind === 'other') found.push('special-file');
  if (isGitName(path)) found.push('git-dir');
  return found;
}

/** Links in the middle are taken apart as far as the snapshot knows them; more than 40 count as leading out. */
function leadsOut(snapshot: Snapshot, { path, entry, readable }: Suspect): boolean {
  const todo = (entry.target ?? '').split('/').reverse();
  let at = entry.target?.startsWith('/') === true ? '/' : posix.dirname(posix.join(snapshot.root, path));
  let links = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    at = posix.join(at, name);
    const next = isBelow(at, snapshot.root)
      ? snapshot.links.get(at.slice(snapshot.root.length + 1))
      : undefined;
    if (next?.target === undefined) continue;
    links += 1;
    if (links > 40) return true;
    todo.push(...next.target.split('/').reverse());
    at = next.target.startsWith('/') ? '/' : posix.dirname(at);
  }
  return ![snapshot.root, ...readable].some((root) => isBelow(at, root));
}

/** A name that git would take for that of a repository. */
export function isGitName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name === '.git' || (/^\W*g|~|[^ -~]/i.test(name) && foldName(name) === '.git');
}

/**
 * Whether git would take a folder for a repository by what it holds: it is a bare one, or borrows its objects and refs
 * from another. `.` is the root.
 */
export function holdsRepository(snapshot: Snapshot, folder: string): boolean {
  const holds = (name: string): boolean => snapshot.get(posix.join(folder, name)) !== undefined;
  return holds('HEAD') && (holds('commondir') || (holds('objects') && holds('refs')));
}
