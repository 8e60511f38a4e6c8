import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@switchyard/protocol';
import { hostEnvironment } from './config.ts';

/** The oldest git that is used: `merge-file`, `core.fsync` and protected configuration behave as relied on. */
export const minimumGitVersion = [2, 39] as const;

const found = new Map<string, Promise<string>>();

/** The absolute path of git on PATH. Throws AppError E_NO_GIT when it is missing or older than the minimum. */
export async function findGit(): Promise<string> {
  const searchPath = hostEnvironment()['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  let finding = found.get(searchPath);
  if (finding === undefined) {
    finding = search(searchPath);
    found.set(searchPath, finding);
    // Looked for again the next time: somebody may install it meanwhile.
    finding.catch(() => found.delete(searchPath));
  }
  return finding;
}

async function search(searchPath: string): Promise<string> {
  // Only absolute folders: a relative one would let a checkout supply its own git.
  const folders = searchPath.split(delimiter).filter((folder) => isAbsolute(folder));
  const path = folders.map((folder) => join(folder, 'git')).find(isProgram);
  const wanted = minimumGitVersion.join('.');
  if (path === undefined)
    throw new AppError('E_NO_GIT', `git is not on PATH; install git ${wanted} or newer`);
  const { stdout } = await promisify(execFile)(path, ['--version'], { env: { LC_ALL: 'C' } });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (!isRecent(Number(major), Number(minor))) {
    throw new AppError(
      'E_NO_GIT',
      `${path} says "${stdout.trim()}"; git ${wanted} or newer is needed, please update it`,
    );
  }
  return path;
}

function isRecent(major: number, minor: number): boolean {
  const [wantedMajor, wantedMinor] = minimumGitVersion;
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there or not ours to run: the next folder.
    return false;
  }
}
