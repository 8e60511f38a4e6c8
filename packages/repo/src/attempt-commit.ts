import { AppError, type ChangedFile, type CommitId } from '@switchyard/protocol';
import { findChanges, type Changes } from './attempt-changes.ts';
import type { AttemptParts, BuiltCommit, CommitRequest } from './attempt-request.ts';
import { treeChanges } from './changed-files.ts';
import { gitLimits } from './git-limits.ts';
import { writeCommit } from './commit-object.ts';
import { bytesOf, shownPath, type RawPath } from './raw-path.ts';
import { sandboxedGit } from './sandboxed-git.ts';

/** The commit of an attempt's files. */
export async function buildCommit(request: CommitRequest, parts: AttemptParts): Promise<BuiltCommit> {
  const { tree, files, outside } = await buildTree(request, parts);
  if (files.length === 0) return { files, outside };
  return { commit: await commitTree(tree, request, parts), files, outside };
}

/** An attempt's files as a tree of git's, seen against the base. */
export interface BuiltTree extends Omit<BuiltCommit, 'commit'> {
  readonly tree: string;
}

/**
 * Builds the tree of an attempt's files. Git that reads the attempt's files runs in the sandbox; what it wrote, an
 * index and objects, git on the host reads as data, and the cache takes every object by its content.
 *
 * Whatever writes the index must see the files too: git looks again at those that were written in the second of the
 * index before, and else would take a change in that second, to the same size, for none.
 */
export async function buildTree(request: CommitRequest, parts: AttemptParts): Promise<BuiltTree> {
  const { base } = request;
  const { place } = parts;
  // Keeps the times of files that are as in the base, so that only the others are read; `-i`, since the index holds
  // what the attempt went on from, and the files may be neither that nor the base.
  await sandboxedGit(['read-tree', '-m', '-i', base], parts);
  const changes = await findChanges(request, parts);
  const refused = await stage(changes, parts, base);
  const tree = (await sandboxedGit(['write-tree'], parts)).stdout.toString().trim();
  const files: ChangedFile[] = (await treeChanges(place.git, base, tree)).map(({ path, change }) => ({
    path: shownPath(path),
    change,
  }));
  return { tree, files, outside: [...new Set([...changes.outside, ...refused].map(shownPath))].sort() };
}

/** Makes the commit of a built tree and takes it into the cache. */
export async function commitTree(
  tree: string,
  { base, message, at }: CommitRequest,
  { place, context }: AttemptParts,
): Promise<CommitId> {
  const commit = await writeCommit(place.git, { tree, parents: [base], at, message });
  await context.take(commit, place.git, base);
  return commit;
}

/** Puts the changes into the index; the answer is what git refuses to hold. */
async function stage({ deleted, written }: Changes, parts: AttemptParts, base: CommitId): Promise<RawPath[]> {
  if (deleted.length > 0) {
    const gone = Buffer.from(`0 ${'0'.repeat(base.length)}\t`);
    const stdin = Buffer.concat(deleted.flatMap((path) => [gone, ended(path)]));
    await sandboxedGit(['update-index', '-z', '--index-info'], parts, { stdin });
  }
  if (written.length === 0) return [];
  const stderr = parts.live ? await addLive(written, parts, parts.live.read) : await addAll(written, parts);
  return [...stderr.matchAll(/^Ignoring path (.*)$/gm)].map(([, path]) => path as RawPath);
}

const adding = ['update-index', '--add', '--replace'];
const listed = ['-z', '--stdin'];

async function addAll(written: readonly RawPath[], parts: AttemptParts): Promise<string> {
  return (await sandboxedGit([...adding, ...listed], parts, { stdin: Buffer.concat(written.map(ended)) }))
    .stderr;
}

/**
 * As `addAll`, of files that change meanwhile: what has vanished since it was found is not there, and what turned into
 * something that git cannot add is left to the next snapshot. Git ends at the first such path, with nothing written.
 */
async function addLive(
  written: readonly RawPath[],
  parts: AttemptParts,
  read: readonly string[],
): Promise<string> {
  let left = written;
  for (;;) {
    try {
      const stdin = Buffer.concat(left.map(ended));
      return (await sandboxedGit([...adding, '--remove', ...listed], parts, { stdin, read })).stderr;
    } catch (error) {
      const rest = withoutUnprocessed(left, error);
      if (rest.length === left.length || rest.length < written.length - gitLimits.liveMoving) throw error;
      left = rest;
    }
  }
}

/** The paths without the one that git says it could not process. */
function withoutUnprocessed(paths: readonly RawPath[], error: unknown): RawPath[] {
  const said = error instanceof AppError ? error.message : '';
  const path = /^fatal: Unable to process path (.*)$/m.exec(said)?.[1];
  return paths.filter((each) => shownPath(each) !== path);
}

function ended(path: RawPath): Buffer {
  return Buffer.concat([bytesOf(path), Buffer.from([0])]);
}
