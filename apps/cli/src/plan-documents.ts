import { existsSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { limits } from '@switchyard/protocol';

/** Documents of one plan that are read; the rest counts as missing. */
const documentsMax = 1000;

/**
 * Reads the documents that a Markdown plan names: relative to its folder, or to one above it, up to the root of the
 * repository. Nothing outside that root is read, also not through links; what is not there, no file, or larger than a
 * plan may be is left out.
 */
export async function readDocuments(
  planPath: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const documents = new Map<string, string>();
  const folders = foldersOf(dirname(await realpath(planPath)));
  const root = folders.at(-1) ?? dirname(planPath);
  for (const name of names.slice(0, documentsMax)) {
    const text = await firstText(folders, name, root);
    if (text !== undefined) documents.set(name, text);
  }
  return documents;
}

/** The folder and those above it, up to the one that holds `.git`; only itself, if none does. */
function foldersOf(folder: string): string[] {
  const folders = [folder];
  for (let at = folder; !existsSync(join(at, '.git')); at = dirname(at)) {
    if (dirname(at) === at) return [folder];
    folders.push(dirname(at));
  }
  return folders;
}

async function firstText(
  folders: readonly string[],
  name: string,
  root: string,
): Promise<string | undefined> {
  for (const folder of folders) {
    const text = await textInside(join(folder, name), root);
    if (text !== undefined) return text;
  }
  return undefined;
}

async function textInside(path: string, root: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    if (!real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return undefined;
    const found = await stat(real);
    if (!found.isFile() || found.size > limits.markdownPlanBytes) return undefined;
    return await readFile(real, 'utf8');
  } catch (error) {
    // Not there, or not ours to read: the plan's check says which documents are missing.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
