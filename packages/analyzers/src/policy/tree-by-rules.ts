import { constants } from 'node:fs';
import {
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '@switchyard/runtime';
import { leftOutFolders } from '../change/tree-files.ts';
import type { ChangedRule } from './tool-rules.ts';

/** A copy of a tree under review. Whoever makes it closes it. */
export interface TreeCopy {
  readonly root: string;
  close(): Promise<void>;
}

/**
 * The tree under review with the rules as they were before the change: changed ones put back, new ones left out. A copy,
 * since the tree is a person's checkout, or is looked at by others; what is built or installed is linked, not copied.
 */
export async function treeByRules(
  root: string,
  rules: readonly ChangedRule[],
  signal: AbortSignal,
): Promise<TreeCopy> {
  const copy = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-rules-')));
  const close = (): Promise<void> => rm(copy, { recursive: true, force: true });
  try {
    await copyFolder({ from: root, to: copy, inside: '', rules, signal });
    for (const rule of rules) await putBack(copy, rule);
    return { root: copy, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Copying {
  readonly from: string;
  readonly to: string;
  /** Relative to the tree. */
  readonly inside: string;
  readonly rules: readonly ChangedRule[];
  readonly signal: AbortSignal;
}

async function copyFolder({ from, to, inside, rules, signal }: Copying): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    signal.throwIfAborted();
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) await copyFile(source, target, constants.COPYFILE_FICLONE);
    else if (entry.isDirectory() && isLinked(entry.name, path, rules)) await symlink(source, target);
    else if (entry.isDirectory()) {
      await mkdir(target);
      await copyFolder({ from: source, to: target, inside: path, rules, signal });
    }
  }
}

function isLinked(name: string, path: string, rules: readonly ChangedRule[]): boolean {
  return leftOutFolders.has(name) && !rules.some((rule) => rule.path.startsWith(`${path}/`));
}

/** Nothing that the change put on the way, a link least of all, leads out of the copy. */
async function putBack(copy: string, { path, before }: ChangedRule): Promise<void> {
  const names = path.split('/').slice(0, -1);
  for (const [at] of names.entries()) {
    const folder = join(copy, ...names.slice(0, at + 1));
    const stat = await lstat(folder).catch(() => undefined); // nothing there: it is made below
    if (stat !== undefined && !stat.isDirectory()) await rm(folder);
  }
  const place = join(copy, path);
  await rm(place, { recursive: true, force: true });
  if (before === undefined) return;
  await makeFolder(dirname(place));
  await writeFile(place, before);
}
