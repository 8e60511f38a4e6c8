import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@switchyard/runtime';
import { rawAttributes } from './git-environment.ts';

export type ObjectFormat = 'sha1' | 'sha256';

/** The object format that a full object name belongs to. */
export function formatOf(commit: string): ObjectFormat {
  return commit.length === 64 ? 'sha256' : 'sha1';
}

export interface PlainGitDirOptions {
  /** `ref: refs/heads/…` or a commit. */
  readonly head: string;
  readonly format: ObjectFormat;
  /** More lines of its configuration. */
  readonly config?: string;
}

/** Makes the git directory of a checkout by hand, since an attempt needs two and `git init` asks templates. */
export async function makeGitDir(folder: string, options: PlainGitDirOptions): Promise<void> {
  for (const name of ['objects/info', 'objects/pack', 'refs/heads', 'info'])
    await makeFolder(join(folder, name));
  const isNew = options.format === 'sha256';
  const config = [
    '[core]',
    `\trepositoryformatversion = ${isNew ? 1 : 0}`,
    '\tfilemode = true',
    '\tbare = false',
    ...(isNew ? ['[extensions]', '\tobjectformat = sha256'] : []),
    options.config ?? '',
  ];
  await writeFile(join(folder, 'config'), `${config.join('\n')}\n`);
  await writeFile(join(folder, 'info/attributes'), rawAttributes);
  await writeFile(join(folder, 'HEAD'), `${options.head}\n`);
}
