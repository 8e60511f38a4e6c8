import type { Git } from './git-runner.ts';
import { mergeText } from './merge-text.ts';
import type { ObjectReader } from './object-reader.ts';
import { joined, rawOf, type RawPath } from './raw-path.ts';
import { isFolder, isPlainFile, isSame, writeTree, type TreeEntry } from './tree-entry.ts';

/**
 * A three-way merge of trees, by names and contents alone: no renames, no merge drivers, no attributes, no
 * configuration, hence the same result wherever and however often it is made. Where only one side changed a file or
 * a whole folder since the base, that side is taken without a look inside.
 */

/** One place in three trees. */
export interface ThreeWay {
  readonly base: TreeEntry | undefined;
  readonly ours: TreeEntry | undefined;
  readonly theirs: TreeEntry | undefined;
}

/** A place where both sides changed the same in different ways. */
export interface MergeConflict extends ThreeWay {
  readonly path: RawPath;
}

export interface MergeContext {
  readonly git: Git;
  readonly reader: ObjectReader;
  /** Filled while merging; where it conflicts, the result keeps ours. */
  readonly conflicts: MergeConflict[];
}

/** Merges what stands at one path; nothing when both sides together leave nothing there. */
export async function mergeEntries(
  context: MergeContext,
  path: RawPath,
  three: ThreeWay,
): Promise<TreeEntry | undefined> {
  const { base, ours, theirs } = three;
  if (isSame(ours, theirs) || isSame(base, theirs)) return ours;
  if (isSame(base, ours)) return theirs;
  const standing = [base, ours, theirs].filter((entry) => entry !== undefined);
  if (standing.every(isFolder)) return mergeFolders(context, path, three);
  if (isPlainFile(ours) && isPlainFile(theirs) && isPlainFile(base)) {
    const merged = await mergeFiles(context, { base, ours, theirs });
    if (merged !== undefined) return merged;
  }
  context.conflicts.push({ path, ...three });
  return ours;
}

async function mergeFolders(
  context: MergeContext,
  path: RawPath,
  { base, ours, theirs }: ThreeWay,
): Promise<TreeEntry | undefined> {
  const { git, reader } = context;
  const [inBase, inOurs, inTheirs] = await Promise.all(
    [base, ours, theirs].map((entry) => reader.list(entry)),
  );
  const names = new Set([...(inOurs?.keys() ?? []), ...(inTheirs?.keys() ?? [])]);
  const merged = new Map<RawPath, TreeEntry>();
  for (const name of names) {
    const entry = await mergeEntries(context, joined(path === '.' ? rawOf('') : path, name), {
      base: inBase?.get(name),
      ours: inOurs?.get(name),
      theirs: inTheirs?.get(name),
    });
    if (entry !== undefined) merged.set(name, entry);
  }
  return writeTree(git, merged);
}

interface ThreeFiles {
  readonly base: TreeEntry;
  readonly ours: TreeEntry;
  readonly theirs: TreeEntry;
}

async function mergeFiles(
  context: MergeContext,
  { base, ours, theirs }: ThreeFiles,
): Promise<TreeEntry | undefined> {
  const mode = ours.mode === base.mode ? theirs.mode : ours.mode;
  if (ours.id === theirs.id || base.id === theirs.id) return { mode, id: ours.id };
  if (base.id === ours.id) return { mode, id: theirs.id };
  const id = await mergeText(context, { base, ours, theirs });
  return id === undefined ? undefined : { mode, id };
}
