import { mergeEntries, type MergeContext } from './merge-trees.ts';
import { partsOf } from './object-reader.ts';
import { isWithin, rawOf, type RawPath } from './raw-path.ts';
import { isFolder, isSame, writeTree, type TreeEntry } from './tree-entry.ts';

/**
 * Puts the workspaces of one side into another: where the other still has what the base had, a workspace is taken
 * whole; where it changed too, the two are merged. Everything outside the workspaces stays as it is.
 */
export async function spliceWorkspaces(
  context: MergeContext,
  roots: { readonly base: TreeEntry; readonly ours: TreeEntry; readonly theirs: TreeEntry },
  workspace: readonly string[],
): Promise<TreeEntry> {
  let root = roots.ours;
  for (const path of outermost(workspace.map(rawOf))) {
    const [base, ours, theirs] = await Promise.all(
      [roots.base, root, roots.theirs].map((tree) => context.reader.at(tree, path)),
    );
    const three = { base: plain(base), ours: plain(ours), theirs: plain(theirs) };
    const merged = await mergeEntries(context, path, three);
    if (ours === 'blocked' && merged !== undefined) {
      context.conflicts.push({ path, ...three });
      continue;
    }
    if (isSame(merged, three.ours)) continue;
    root =
      (await replaceAt(context, root, { parts: partsOf(path), entry: merged })) ?? (await emptyRoot(context));
  }
  return root;
}

function plain(entry: TreeEntry | undefined | 'blocked'): TreeEntry | undefined {
  return entry === 'blocked' ? undefined : entry;
}

/** The tree with something else at one path; folders that become empty go, as git has none. */
async function replaceAt(
  context: MergeContext,
  tree: TreeEntry | undefined,
  { parts, entry }: { readonly parts: readonly RawPath[]; readonly entry: TreeEntry | undefined },
): Promise<TreeEntry | undefined> {
  const [name, ...rest] = parts;
  if (name === undefined) return entry;
  const entries = new Map(isFolder(tree) ? await context.reader.list(tree) : []);
  const replaced = await replaceAt(context, entries.get(name), { parts: rest, entry });
  if (replaced === undefined) entries.delete(name);
  else entries.set(name, replaced);
  return writeTree(context.git, entries);
}

async function emptyRoot({ git }: MergeContext): Promise<TreeEntry> {
  return { mode: '040000', id: await git.line(['mktree', '-z']) };
}

/** Drops paths that lie in another one of the list. */
export function outermost(paths: readonly RawPath[]): RawPath[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}
