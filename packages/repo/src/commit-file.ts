import { AppError, type CommitId } from '@switchyard/protocol';
import type { Git } from './git-runner.ts';

const fileBytesMax = 10 * 1024 * 1024;

/** One file of a commit, at most 10 MB. Rejects with AppError E_NOT_FOUND, E_IS_DIRECTORY, E_TOO_LARGE. */
export async function readCommitFile(git: Git, commit: CommitId, path: string): Promise<Uint8Array> {
  const name = `${commit}:${path}`;
  const { stdout, exitCode } = await git.run(['cat-file', '-t', name], { accept: [128] });
  const kind = exitCode === 0 ? stdout.toString().trim() : 'nothing';
  if (kind === 'tree') throw new AppError('E_IS_DIRECTORY', `${path} is a folder in ${commit}`);
  if (kind !== 'blob') throw new AppError('E_NOT_FOUND', `${path} is not in ${commit}`);
  const size = await git.line(['cat-file', '-s', name]);
  if (Number(size) > fileBytesMax)
    throw new AppError('E_TOO_LARGE', `${path} in ${commit} has ${size} bytes`);
  return (await git.run(['cat-file', 'blob', name])).stdout;
}
