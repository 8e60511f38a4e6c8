import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, type CommitId } from '@switchyard/protocol';
import { historyStart } from './attempt-history.ts';
import type { AttemptPlace } from './attempt-place.ts';
import type { AttemptRequest } from './attempt-request.ts';
import { writeCommit } from './commit-object.ts';
import { gitLimits } from './git-limits.ts';
import { formatOf, makeGitDir } from './plain-git-dir.ts';
import { bytesOf, isWithin, rawOf, splitNul } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';

/**
 * The `.git` that the attempt sees, in a pack of its own, since nothing else is mounted there: the base and its
 * history; where the task may not read everything, one commit of what it may. The attempt may do with it what it
 * likes; nobody else runs git with it.
 */
export async function makeThrowaway(place: AttemptPlace, request: AttemptRequest): Promise<void> {
  const { base, readable } = request;
  const gitDir = join(place.tree, '.git');
  if (existsSync(gitDir)) throw new AppError('E_PATH_INVALID', `the commit ${base} holds a path .git`);
  await mkdir(gitDir);
  await makeGitDir(gitDir, {
    head: 'ref: refs/heads/attempt',
    format: formatOf(base),
    config: '[user]\n\tname = Attempt\n\temail = attempt@localhost\n[gc]\n\tauto = 0',
  });
  const head = readable === undefined ? base : await reducedCommit(place, base, readable);
  const cut = head === base ? await historyStart(dirname(place.cacheObjects), base) : [];
  await place.git.run(
    ['pack-objects', '-q', '--revs', '--delta-base-offset', join(gitDir, 'objects/pack/pack')],
    {
      stdin: `${cut.map((commit) => `--shallow ${commit}\n`).join('')}${head}\n`,
      timeoutMs: gitLimits.longTimeoutMs,
    },
  );
  if (cut.length > 0) await writeFile(join(gitDir, 'shallow'), `${cut.join('\n')}\n`);
  await writeFile(join(gitDir, 'refs/heads/attempt'), `${head}\n`);
  const index = join(gitDir, 'index');
  await copyFile(place.index, index);
  // Takes what is not of this commit out of the index, and keeps the times of the rest.
  await place.git.with({ GIT_INDEX_FILE: index }).run(['read-tree', '-m', head]);
}

/** A commit without parents that holds only some paths of another. */
function reducedCommit(place: AttemptPlace, base: CommitId, readable: readonly string[]): Promise<CommitId> {
  const places = readable.map(rawOf);
  return withTemporaryIndex(place.git, place.folder, async (git) => {
    const listed = splitNul((await git.run(['ls-tree', '-r', '-z', '--full-tree', base])).stdout);
    const kept = listed.filter((line) => {
      const path = line.slice(line.indexOf('\t') + 1) as typeof line;
      return places.some((folder) => isWithin(path, folder));
    });
    const stdin = Buffer.concat(kept.flatMap((line) => [bytesOf(line), Buffer.from([0])]));
    await git.run(['update-index', '-z', '--index-info'], { stdin });
    const tree = await git.line(['write-tree']);
    return writeCommit(git, { tree, parents: [], at: 0, message: 'What the task may read' });
  });
}
