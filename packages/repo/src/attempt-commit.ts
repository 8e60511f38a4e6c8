import type { CommitId } from '@switchyard/protocol';
import { findChanges, type Changes } from './attempt-changes.ts';
import type { AttemptParts, BuiltCommit, CommitRequest } from './attempt-request.ts';
import { treeChanges } from './changed-files.ts';
import { writeCommit } from './commit-object.ts';
import { bytesOf, shownPath, type RawPath } from './raw-path.ts';
import { sandboxedGit } from './sandboxed-git.ts';

/**
 * Builds the commit of an attempt's files. Git that reads the attempt's files runs in the sandbox; what it wrote, an
 * index and objects, git on the host reads as data, and the cache takes every object by its content.
 *
 * Whatever writes the index must see the files too: git looks again at those that were written in the second of the
 * index before, and else would take a change in that second, to the same size, for none.
 */
export async function buildCommit(request: CommitRequest, parts: AttemptParts): Promise<BuiltCommit> {
  const { base } = request;
  const { place, context } = parts;
  // Keeps the times of files that are as in the base, so that only the others are read; `-i`, since the index holds
  // what the attempt went on from, and the files may be neither that nor the base.
  await sandboxedGit(['read-tree', '-m', '-i', base], parts);
  const changes = await findChanges(request, parts);
  const refused = await stage(changes, parts, base);
  const tree = (await sandboxedGit(['write-tree'], parts)).stdout.toString().trim();
  const files = (await treeChanges(place.git, base, tree)).map(({ path, change }) => ({
    path: shownPath(path),
    change,
  }));
  const outside = [...new Set([...changes.outside, ...refused].map(shownPath))].sort();
  if (files.length === 0) return { files, outside };
  const { message, at } = request;
  const commit = await writeCommit(place.git, { tree, parents: [base], at, message });
  await context.take(commit, place.git, base);
  return { commit, files, outside };
}

/** Puts the changes into the index; the answer is what git refuses to hold. */
async function stage({ deleted, written }: Changes, parts: AttemptParts, base: CommitId): Promise<RawPath[]> {
  if (deleted.length > 0) {
    const gone = Buffer.from(`0 ${'0'.repeat(base.length)}\t`);
    const stdin = Buffer.concat(deleted.flatMap((path) => [gone, ended(path)]));
    await sandboxedGit(['update-index', '-z', '--index-info'], parts, stdin);
  }
  if (written.length === 0) return [];
  const add = ['update-index', '--add', '--replace', '-z', '--stdin'];
  const { stderr } = await sandboxedGit(add, parts, Buffer.concat(written.map(ended)));
  return [...stderr.matchAll(/^Ignoring path (.*)$/gm)].map(([, path]) => path as RawPath);
}

function ended(path: RawPath): Buffer {
  return Buffer.concat([bytesOf(path), Buffer.from([0])]);
}
