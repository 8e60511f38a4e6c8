import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, isAppError, type CommitId } from '@switchyard/protocol';
import { gitLimits } from './git-limits.ts';
import { gitError, killGit, type Git, type GitChild } from './git-runner.ts';

/**
 * Copies commits and all they need from one repository to another, as one pack, with plumbing only: no remote
 * helper, no configuration of either side that could run a program. `have` are commits that the target has whole;
 * those that the source does not know are left out. Throws AppError E_IO, E_DISK_FULL, E_REPOSITORY_UNREADABLE
 * (a partial clone that lacks some).
 */
export async function copyObjects(request: {
  readonly from: Git;
  readonly to: Git;
  readonly commits: readonly string[];
  readonly have: readonly string[];
}): Promise<void> {
  const { from, to, commits } = request;
  const gone = new Set([...(await absent(from, request.have)), ...(await absent(to, request.have))]);
  const have = request.have.filter((id) => !gone.has(id));
  if (await isWhole(to, commits, have)) return;
  await sendPack({ from, to, commits, have });
  if (await isWhole(to, commits, have)) return;
  // The two know different lengths of the history, so what one has says nothing about the other: everything, then.
  await sendPack({ from, to, commits, have: [] });
  if (await isWhole(to, commits, have)) return;
  throw new AppError(
    'E_IO',
    `the repository lacks objects of ${commits.join(', ')}; \`git fsck\` says which`,
  );
}

async function sendPack({ from, to, commits, have }: Parameters<typeof copyObjects>[0]): Promise<void> {
  const revisions = `${[...commits, '--not', ...have].join('\n')}\n`;
  const packArgs = ['pack-objects', '--revs', '--stdout', '--thin', '-q', '--delta-base-offset'];
  const indexArgs = ['index-pack', '--stdin', '--fix-thin'];
  const [packing, indexing] = await Promise.all([from.start(packArgs), to.start(indexArgs)]);
  const timer = setTimeout(() => [packing, indexing].forEach(killGit), gitLimits.longTimeoutMs);
  try {
    const ends = Promise.all([endOf(packing, packArgs), endOf(indexing, indexArgs)]);
    packing.stdin.on('error', () => undefined); // it says why by its exit code
    packing.stdin.end(revisions);
    indexing.stdout.resume();
    // A broken pipe is the other's failure, which its exit code tells.
    await pipeline(packing.stdout, indexing.stdin).catch(() => undefined);
    await ends;
  } catch (error) {
    throw (await partialError(from, error)) ?? error;
  } finally {
    clearTimeout(timer);
    [packing, indexing].forEach(killGit);
  }
}

/** Why a clone that was made with a filter does not give all, and what makes it whole: nothing is fetched for us. */
async function partialError(from: Git, cause: unknown): Promise<AppError | undefined> {
  if (!isAppError(cause) || !/promisor remote|lazy fetching/.test(cause.message)) return undefined;
  const promisors = ['config', '--get-regexp', '^remote\\..*\\.promisor$'];
  const [named] = (await from.line(promisors, { accept: [1] })).split('\n');
  const remote = /^remote\.(.+)\.promisor /.exec(named ?? '')?.[1];
  if (remote === undefined) return undefined;
  return new AppError(
    'E_REPOSITORY_UNREADABLE',
    `the repository is a partial clone and lacks objects that are needed; fetch them, and try again: git fetch --refetch --no-filter ${remote}`,
    { cause },
  );
}

/** The ids of a list that name no object of a repository. */
export async function absent(git: Git, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { stdout } = await git.run(['cat-file', '--batch-check=%(objectname)'], {
    stdin: `${ids.join('\n')}\n`,
  });
  const lines = stdout.toString('utf8').trim().split('\n');
  return ids.filter((_, index) => lines[index]?.endsWith(' missing') !== false);
}

/** Whether all that the commits need is there, given that `have` is whole. */
async function isWhole(git: Git, commits: readonly string[], have: readonly string[]): Promise<boolean> {
  if ((await absent(git, commits)).length > 0) return false;
  const stdin = `${[...commits, ...have.map((id) => `^${id}`)].join('\n')}\n`;
  return git.holds(['rev-list', '--objects', '--quiet', '--stdin'], {
    stdin,
    timeoutMs: gitLimits.longTimeoutMs,
  });
}

/** All commits that refs of a repository name. */
export async function refTips(git: Git, prefixes: readonly string[] = ['refs/']): Promise<CommitId[]> {
  const out = await git.line(['for-each-ref', '--format=%(objectname) %(objecttype)', ...prefixes]);
  const commits = out.split('\n').filter((line) => line.endsWith(' commit'));
  return [...new Set(commits.map((line) => line.split(' ')[0] ?? ''))] as CommitId[];
}

function endOf(child: GitChild, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let stderr = '';
    (child.stderr as Readable).on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-gitLimits.stderrBytes);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(gitError(args, { exitCode: code ?? 128, stderr }));
    });
  });
}
