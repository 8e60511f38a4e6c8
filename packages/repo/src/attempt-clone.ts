import { AppError, type CommitId } from '@switchyard/protocol';
import { buildCommit } from './attempt-commit.ts';
import { AttemptPlace } from './attempt-place.ts';
import type { AttemptClone, AttemptContext, AttemptRequest } from './attempt-request.ts';
import { layInclude } from './attempt-include.ts';
import { gitLimits } from './git-limits.ts';
import { removeFolder } from './remove-folder.ts';
import { makeThrowaway } from './throwaway-git.ts';

/** Makes the checkout and everything around it. What was made so far is removed when it fails. */
export async function prepareAttempt(
  request: AttemptRequest,
  context: AttemptContext,
): Promise<AttemptClone> {
  const place = new AttemptPlace(request.folder, context.cache.gitDir);
  const dispose = (): Promise<void> => removeFolder(request.folder, context.sandbox);
  try {
    await place.make(request.base);
    await layFiles(place, request);
    await makeThrowaway(place, request);
    const included = await layInclude(place, request.include);
    return {
      tree: place.tree,
      buildCommit: (asked) => buildCommit(asked, { place, included, context }),
      push: (ref, commit) => context.push(ref, commit),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function layFiles(place: AttemptPlace, { base, continueFrom }: AttemptRequest): Promise<void> {
  const tree = continueFrom === undefined ? base : await continued(place, base, continueFrom);
  await place.git.run(['read-tree', tree]);
  await place.freshTree.run(['checkout-index', '-a', '-q', '-u'], { timeoutMs: gitLimits.longTimeoutMs });
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
