import type { CommitId } from '@switchyard/protocol';
import type { AttemptPlace } from './attempt-place.ts';
import { bytesOf, isWithin, rawOf, splitNul, type RawPath } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';

/** The base with the workspace as it is in another commit: also what was deleted there is gone. */
export function resumedTree(
  place: AttemptPlace,
  base: CommitId,
  { commit, workspace }: { readonly commit: CommitId; readonly workspace: readonly string[] },
): Promise<string> {
  const places = workspace.map((path) => rawOf(path.replace(/\/+$/, '')));
  const isMine = (path: RawPath): boolean => places.some((folder) => isWithin(path, folder));
  return withTemporaryIndex(place.git, place.folder, async (git) => {
    await git.run(['read-tree', base]);
    const gone = splitNul((await git.run(['ls-files', '-z'])).stdout).filter(isMine);
    const listed = splitNul((await git.run(['ls-tree', '-r', '-z', '--full-tree', commit])).stdout);
    const kept = listed.filter((line) => isMine(line.slice(line.indexOf('\t') + 1) as RawPath));
    const nothing = `0 ${'0'.repeat(base.length)}\t`;
    const lines = [...gone.map((path) => `${nothing}${path}` as RawPath), ...kept];
    const stdin = Buffer.concat(lines.flatMap((line) => [bytesOf(line), Buffer.from([0])]));
    await git.run(['update-index', '-z', '--index-info'], { stdin });
    return git.line(['write-tree']);
  });
}
