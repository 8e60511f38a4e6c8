/** What changed between two snapshots. Pure. */
import { differencesOf, type Difference } from './listing-differences.ts';
import type { Snapshot } from './snapshot.ts';
import type { EntryKind } from './tree-walk.ts';

export interface Change {
  readonly path: string;
  readonly change: 'created' | 'changed' | 'removed' | 'mode-changed';
  readonly kind: EntryKind;
}

/** Every entry that is not as it was; sorted by path. Folders count only when made, removed or given another mode. */
export function compareSnapshots(before: Snapshot, after: Snapshot): Change[] {
  return changesAmong(differencesOf(before.listing, after.listing));
}

/** Those of the differences that count, sorted by path. */
export function changesAmong(differences: readonly Difference[]): Change[] {
  const changes: Change[] = [];
  for (const difference of differences) {
    const change = changeOf(difference);
    const kind = (difference.now ?? difference.was)?.kind;
    if (change !== undefined && kind !== undefined) changes.push({ path: difference.path, change, kind });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function changeOf({ was, now }: Difference): Change['change'] | undefined {
  if (now === undefined) return 'removed';
  if (was === undefined) return 'created';
  if (was.kind !== now.kind || was.target !== now.target) return 'changed';
  if (now.kind === 'folder') return was.mode === now.mode ? undefined : 'mode-changed';
  if (was.inode !== now.inode || was.size !== now.size || was.modified !== now.modified) return 'changed';
  if (was.mode !== now.mode) return 'mode-changed';
  // Content that was given its old time back moves the change time. So does a new name, which could hide that.
  return was.changed === now.changed ? undefined : 'changed';
}
