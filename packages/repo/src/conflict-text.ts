import { gitLimits } from './git-limits.ts';
import { isBinary } from './merge-text.ts';
import type { MergeConflict } from './merge-trees.ts';
import type { ObjectReader } from './object-reader.ts';
import { shownPath } from './raw-path.ts';
import { isFolder, linkMode, submoduleMode, type TreeEntry } from './tree-entry.ts';

/** A file that both sides changed; a side that is absent has no such file. */
export interface ConflictFile {
  readonly path: string;
  readonly base?: string;
  readonly ours?: string;
  readonly theirs?: string;
}

/** Both sides of each conflict in words, for people and agents. */
export async function describeConflicts(
  reader: ObjectReader,
  conflicts: readonly MergeConflict[],
): Promise<ConflictFile[]> {
  const described: ConflictFile[] = [];
  for (const { path, base, ours, theirs } of conflicts) {
    const [baseText, oursText, theirsText] = await Promise.all(
      [base, ours, theirs].map((entry) => sideText(reader, entry)),
    );
    described.push({
      path: shownPath(path),
      ...(baseText !== undefined && { base: baseText }),
      ...(oursText !== undefined && { ours: oursText }),
      ...(theirsText !== undefined && { theirs: theirsText }),
    });
  }
  return described;
}

async function sideText(reader: ObjectReader, entry: TreeEntry | undefined): Promise<string | undefined> {
  if (entry === undefined) return undefined;
  if (isFolder(entry)) return '(a folder)';
  if (entry.mode === submoduleMode) return `(a submodule at ${entry.id})`;
  const content = await reader.blob(entry);
  if (entry.mode === linkMode) return `(a link to ${content.toString('utf8')})`;
  if (isBinary(content)) return `(a binary file of ${content.length} bytes)`;
  if (content.length <= gitLimits.conflictTextBytes) return content.toString('utf8');
  return `${content.toString('utf8', 0, gitLimits.conflictTextBytes)}\n(… cut at ${gitLimits.conflictTextBytes} of ${content.length} bytes)`;
}
