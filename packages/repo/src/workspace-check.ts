import type { ChangedFile } from '@switchyard/protocol';
import type { RawChange } from './changed-files.ts';
import { isWithin, rawOf, shownPath, textOf, type RawPath } from './raw-path.ts';
import { linkMode, submoduleMode } from './tree-entry.ts';

/** What an attempt changed, and what of it was not its to change. */
export interface AttemptCheck {
  readonly files: ChangedFile[];
  /** Changed paths outside the workspace, and inside it what no commit may bring: see `isForbidden`. */
  readonly outside: string[];
}

/** Sorts changes; `linkTarget` reads where a link leads. */
export async function checkChanges(
  changes: readonly RawChange[],
  workspace: readonly string[],
  linkTarget: (change: RawChange) => Promise<string>,
): Promise<AttemptCheck> {
  const places = workspace.map(rawOf);
  const files: ChangedFile[] = [];
  const outside: string[] = [];
  for (const entry of changes) {
    const path = shownPath(entry.path);
    files.push({ path, change: entry.change });
    const isInside = places.some((place) => isWithin(entry.path, place));
    if (!isInside || (await isForbidden(entry, linkTarget))) outside.push(path);
  }
  return { files, outside };
}

/**
 * What no attempt may commit, wherever: submodules, links that lead out of the repository, names that are not UTF-8
 * (reviewers could not open them) and names that some file system takes for `.git`.
 */
async function isForbidden(
  change: RawChange,
  linkTarget: (change: RawChange) => Promise<string>,
): Promise<boolean> {
  if (change.change === 'deleted') return false;
  if (isForbiddenName(change.path) || change.mode === submoduleMode) return true;
  return change.mode === linkMode && leadsOut(change.path, await linkTarget(change));
}

/** Whether a path may not be committed whatever it holds. */
export function isForbiddenName(path: RawPath): boolean {
  return textOf(path) === undefined || path.length > 4096 || isGitPath(path);
}

/** Whether some file system takes a part of a path for `.git`. */
export function isGitPath(path: RawPath): boolean {
  return (textOf(path) ?? path).split(/[/\\]/).some(isGitName);
}

/** Whether some file system takes the last part of a path for `.gitmodules`, by its short names too. */
export function isModulesPath(path: RawPath): boolean {
  const name = foldName((textOf(path) ?? path).split(/[/\\]/).at(-1) ?? '');
  return name === '.gitmodules' || /^gi(?:tmod|7e[\da-f]*)~\d+$/.test(name);
}

function isGitName(name: string): boolean {
  const folded = foldName(name);
  return folded === '.git' || /^git~\d+$/.test(folded);
}

/** A name as Windows (trailing dots, streams) and macOS (ignored code points) take it, beside Linux. */
function foldName(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replace(/:.*$/, '')
    .replace(/[. ]+$/, '');
}

/**
 * Whether a link at a path leads out of the repository, or into its git directory, by its text alone. `..` after a
 * name counts as leading out, since the name may be a link itself.
 */
export function leadsOut(path: RawPath, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return true;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const climbs = parts.findIndex((part) => part !== '..');
  const ups = climbs < 0 ? parts.length : climbs;
  if (parts.slice(ups).some((part) => part === '..' || isGitName(part))) return true;
  return ups > path.split('/').length - 1;
}
