import { readFile, rename, writeFile } from 'node:fs/promises';
import { AppError, type CommitId } from '@switchyard/protocol';
import { removeTree } from '@switchyard/runtime';
import { buildCommit } from './attempt-commit.ts';
import { AttemptPlace } from './attempt-place.ts';
import type { AttemptClone, AttemptContext, AttemptRequest } from './attempt-request.ts';
import { layInclude, type Included, type IncludedFile } from './attempt-include.ts';
import { resumedTree } from './attempt-resume.ts';
import { AttemptSnapshots } from './attempt-snapshot.ts';
import { gitLimits } from './git-limits.ts';
import type { RawPath } from './raw-path.ts';
import { makeThrowaway } from './throwaway-git.ts';

/** Makes the checkout and everything around it. What was made so far is removed when it fails. */
export async function prepareAttempt(
  request: AttemptRequest,
  context: AttemptContext,
): Promise<AttemptClone> {
  const place = new AttemptPlace(request.folder, context.cache.gitDir);
  try {
    await place.make(request.base);
    await layFiles(place, request);
    await makeThrowaway(place, request);
    const included = await layInclude(place, request.include);
    await noteLaid(place, included);
    return cloneAt(place, included, context);
  } catch (error) {
    await removeTree(request.folder);
    throw error;
  }
}

/**
 * The clone that a process before this one made in a folder, with whatever became of it; nothing if it never was
 * complete, so that nothing can be told of what the attempt did.
 */
export async function findAttempt(
  folder: string,
  context: AttemptContext,
): Promise<AttemptClone | undefined> {
  const place = new AttemptPlace(folder, context.cache.gitDir);
  const included = await readLaid(place);
  return included === undefined ? undefined : cloneAt(place, included, context);
}

function cloneAt(place: AttemptPlace, included: Included, context: AttemptContext): AttemptClone {
  const parts = { place, included, context };
  const snapshots = new AttemptSnapshots(parts);
  return {
    tree: place.tree,
    buildCommit: (asked) => buildCommit(asked, parts),
    snapshot: (asked) => snapshots.take(asked),
    push: (ref, commit) => context.push(ref, commit),
    dispose: () => removeTree(place.folder),
  };
}

async function noteLaid({ laid }: AttemptPlace, included: Included): Promise<void> {
  await writeFile(`${laid}.new`, JSON.stringify([...included]));
  await rename(`${laid}.new`, laid);
}

async function readLaid({ laid }: AttemptPlace): Promise<Included | undefined> {
  try {
    return new Map(JSON.parse(await readFile(laid, 'utf8')) as (readonly [RawPath, IncludedFile])[]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function layFiles(place: AttemptPlace, request: AttemptRequest): Promise<void> {
  await place.git.run(['read-tree', await treeToLay(place, request)]);
  await place.freshTree.run(['checkout-index', '-a', '-q', '-u'], { timeoutMs: gitLimits.longTimeoutMs });
}

async function treeToLay(place: AttemptPlace, request: AttemptRequest): Promise<string> {
  const { base, continueFrom, resumeFrom } = request;
  if (resumeFrom !== undefined) return resumedTree(place, base, resumeFrom);
  return continueFrom === undefined ? base : continued(place, base, continueFrom);
}

/**
 * The earlier attempt's change on this base, which may have moved on since: others' work in it stays. Where both
 * changed the same lines, the file has both sides between markers, for the attempt to settle.
 */
async function continued(place: AttemptPlace, base: CommitId, from: CommitId): Promise<string> {
  const args = ['merge-tree', '--write-tree', '--allow-unrelated-histories', '--no-messages', '-z'];
  const { stdout } = await place.git.run([...args, base, from], { accept: [1] });
  const tree = /^[0-9a-f]+/.exec(stdout.toString('latin1'))?.[0];
  if (tree === undefined) throw new AppError('E_IO', `the work of ${from} cannot be laid onto ${base}`);
  return tree;
}
