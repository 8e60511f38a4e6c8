import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryFiles } from '@switchyard/plan';
import { openCheckoutView, type UserRepository } from '@switchyard/repo';

/** More of one file says nothing of how projects hang together. */
const bytesMax = 1024 * 1024;

/** The files of a checkout that are tracked, or new and not ignored; links and large files have no text. */
export async function readRepositoryFiles(user: UserRepository): Promise<RepositoryFiles> {
  const view = await openCheckoutView(user);
  try {
    const paths = await view.files();
    const known = new Set(paths);
    return { paths, text: (path) => (known.has(path) ? textOf(join(user.workTree, path)) : undefined) };
  } finally {
    await view.close();
  }
}

function textOf(file: string): string | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size > bytesMax) return undefined;
  return readFileSync(file, 'utf8');
}
