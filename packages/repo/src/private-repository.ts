import { existsSync, readdirSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';
import { makeFolder, makeFolderSync } from '@switchyard/runtime';
import { rawAttributes } from './git-environment.ts';
import { Git } from './git-runner.ts';
import { temporaryIndexPrefix } from './temporary-index.ts';

/** What every repository of ours is configured to: complete, so that nothing is left to git's defaults or to files elsewhere. */
const configuration = (bare: boolean): readonly (readonly [string, string])[] => [
  ['core.bare', String(bare)],
  ['core.fsync', 'all'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.logAllRefUpdates', 'false'],
  ['core.fileMode', 'true'],
  ['core.symlinks', 'true'],
  ['core.autocrlf', 'false'],
  ['core.protectHFS', 'true'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['receive.fsckObjects', 'true'],
  ['receive.denyDeletes', 'true'],
  ['receive.denyNonFastForwards', 'true'],
  ['receive.autogc', 'false'],
  ['receive.maxInputSize', '1g'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
];

/** Makes a bare repository of ours, or opens it; also after a crash in the middle. Throws AppError E_STORAGE and the like. */
export async function openPrivateRepository(gitDir: string, objectFormat: 'sha1' | 'sha256'): Promise<Git> {
  try {
    makeFolderSync(dirname(gitDir), 0o700);
    if (!existsSync(gitDir)) {
      const making = `${gitDir}.new`;
      rmSync(making, { recursive: true, force: true });
      await initRepository(making, { bare: true, objectFormat });
      await rename(making, gitDir);
    } else removeStaleLocks(gitDir);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('E_STORAGE', `the repository ${gitDir} cannot be made: ${messageOf(cause)}`, {
      cause,
    });
  }
  return Git.at(gitDir);
}

/** Makes an empty repository with our configuration and no template. */
export async function initRepository(
  gitDir: string,
  options: { readonly bare: boolean; readonly objectFormat: 'sha1' | 'sha256'; readonly branch?: string },
): Promise<void> {
  const git = new Git();
  await git.run([
    ...['init', '-q', '--bare', '--template=', `--object-format=${options.objectFormat}`],
    ...['-b', options.branch ?? 'none', gitDir],
  ]);
  const own = Git.at(gitDir);
  for (const [key, value] of configuration(options.bare)) await own.run(['config', key, value]);
  await makeFolder(join(gitDir, 'info'));
  await writeFile(join(gitDir, 'info', 'attributes'), rawAttributes);
}

/** Removes locks and half-received packs of a process that was killed. Only for whoever holds the folder alone. */
function removeStaleLocks(gitDir: string): void {
  for (const name of readdirSync(gitDir))
    if (name.endsWith('.lock') || name.startsWith(temporaryIndexPrefix)) rmSync(join(gitDir, name));
  for (const name of readdirSync(join(gitDir, 'refs'), { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.lock')) rmSync(join(gitDir, 'refs', name), { force: true });
  }
  const objects = join(gitDir, 'objects');
  for (const name of readdirSync(objects)) {
    const place = join(objects, name);
    if (/^(tmp_|incoming-)/.test(name)) rmSync(place, { recursive: true, force: true });
    else if (/^([0-9a-f]{2}|pack)$/.test(name)) removeHalfWritten(place);
  }
}

/** Objects and packs that git had begun; whole ones have other names. */
function removeHalfWritten(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.startsWith('tmp_')) rmSync(join(folder, name), { force: true });
}
