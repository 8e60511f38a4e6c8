import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzerLimits } from '../analyzer-limits.ts';

/** Folders of what is built, installed or kept by tools; never looked at. */
export const leftOutFolders: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  'vendor',
  'dist',
  'build',
  'out',
  'target',
  'coverage',
  '__pycache__',
  '.git',
  '.hg',
  '.svn',
  '.nx',
  '.next',
  '.nuxt',
  '.turbo',
  '.cache',
  '.venv',
  'venv',
  '.yarn',
  '.pnpm-store',
]);

/** The files of a folder, `/` as separator, in order; links are not followed. Ends at a limit. */
export async function listTree(root: string, filesMax: number = analyzerLimits.treeFiles): Promise<string[]> {
  const found: string[] = [];
  const open = [''];
  for (let folder = open.pop(); folder !== undefined && found.length < filesMax; folder = open.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && !leftOutFolders.has(entry.name)) open.push(path);
    }
  }
  return found.sort().slice(0, filesMax);
}
