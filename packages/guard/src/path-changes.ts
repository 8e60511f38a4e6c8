/** Changes beneath the roots: each pins the folder it works in, checks where that is, and works below the pin. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { O_PATH } from './descriptor.ts';
import { makeFolders, readContent, replaceContent } from './file-content.ts';
import { GuardError, errnoOf } from './guard-error.ts';
import { isInGit, isProtected } from './name-rules.ts';
import { checkReadable, checkRegular, checkWritable, type AccessPolicy } from './path-access.ts';
import { nameOf, placeOf, type PinnedRoot, type Place } from './pinned-roots.ts';
import { locate, openExisting, type Found, type Missing } from './resolve.ts';

/** What a guard works with. */
export interface Scope {
  readonly roots: readonly PinnedRoot[];
  readonly access: AccessPolicy;
}

const attemptsMax = 8;
const transient = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EEXIST', 'EAGAIN', 'EISDIR', 'ENOTEMPTY']);

/** The tree may change between two steps: begin again a few times, then refuse. */
function retry<Result>(asked: string, work: () => Result | 'changed'): Result {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    try {
      const result = work();
      if (result !== 'changed') return result;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || !transient.has(errno) || attempt === attemptsMax) throw error;
    }
  }
  throw new GuardError('E_IO', 'The path changes while it is written', { path: asked });
}

/** Writes a whole file, made if it is not there. */
export function writeContent(scope: Scope, asked: string, content: Uint8Array): void {
  retry(asked, () => {
    const target = locate(scope.roots, asked);
    try {
      return target.kind === 'found'
        ? replaceFound(scope, target, { asked, content: () => content })
        : createMissing(scope, target, { asked, content });
    } finally {
      closeSync(target.descriptor);
    }
  });
}

/** Replaces a file by what `change` makes of its text. */
export function editContent(scope: Scope, asked: string, change: (text: string) => string): void {
  retry(asked, () => {
    const target = openExisting(scope.roots, asked);
    try {
      const content = (): Uint8Array => {
        checkReadable(scope.access, target.place, { asked, stat: fstatSync(target.descriptor) });
        return Buffer.from(change(readContent(target.descriptor, asked).toString('utf8')));
      };
      return replaceFound(scope, target, { asked, content });
    } finally {
      closeSync(target.descriptor);
    }
  });
}

function replaceFound(
  { roots, access }: Scope,
  target: Found,
  { asked, content }: { readonly asked: string; readonly content: () => Uint8Array },
): 'changed' | undefined {
  if (target.place.relative === '') throw isDirectory(asked);
  checkWritable(access, target.place, asked);
  const before = checkRegular(target.descriptor, asked);
  const folder = pinParent(roots, target.place);
  if (folder === undefined) return 'changed';
  try {
    replaceContent({ folder, name: basename(target.place.path), content: content(), before, asked });
    return undefined;
  } finally {
    closeSync(folder);
  }
}

function isDirectory(path: string): GuardError {
  return new GuardError('E_IS_DIRECTORY', 'A file is needed and this names a directory', { path });
}

/** The folder that holds a place, if it still stands there. */
function pinParent(roots: readonly PinnedRoot[], place: Place): number | undefined {
  const parent = dirname(place.path);
  const below = dirname(place.relative);
  const folder = openSync(`/proc/self/fd/${place.root.descriptor}/${below}`, O_PATH | constants.O_DIRECTORY);
  if (nameOf(folder) === parent && placeOf(roots, parent) !== undefined) return folder;
  closeSync(folder);
  return undefined;
}

function createMissing(
  scope: Scope,
  target: Missing,
  { asked, content }: { readonly asked: string; readonly content: Uint8Array },
): 'changed' | undefined {
  const place = newPlace(target, asked);
  checkWritable(scope.access, place, asked);
  if (/(?:^|\/)\.{0,2}$/.test(asked)) throw isDirectory(asked);
  if (target.isDangling)
    throw new GuardError('E_DANGLING_LINK', 'A write through a link whose target does not exist', {
      path: asked,
    });
  const folder = makeFolders(target.descriptor, target.names.slice(0, -1));
  try {
    if (!isExactly(scope, folder, dirname(place.path))) return 'changed';
    replaceContent({ folder, name: basename(place.path), content, asked });
    return undefined;
  } finally {
    closeSync(folder);
  }
}

/** The place of something new, below its existing folder. */
function newPlace({ place, names }: Missing, asked: string): Place {
  if (names.includes('..'))
    throw new GuardError('E_NOT_FOUND', 'A folder on the way is not there', { path: asked });
  const below = names.join('/');
  return {
    root: place.root,
    path: `${place.path}/${below}`,
    relative: place.relative === '' ? below : `${place.relative}/${below}`,
  };
}

function isExactly({ roots }: Scope, folder: number, path: string): boolean {
  return nameOf(folder) === path && placeOf(roots, path) !== undefined;
}

/** Makes a folder and those above it; one that is there is fine. */
export function makePath(scope: Scope, asked: string): void {
  retry(asked, () => {
    const target = locate(scope.roots, asked);
    try {
      if (target.kind === 'found') {
        if (fstatSync(target.descriptor).isDirectory()) return undefined;
        throw new GuardError('E_NOT_FOUND', 'A file is used as a directory', { path: asked });
      }
      checkWritable(scope.access, newPlace(target, asked), asked);
      closeSync(makeFolders(target.descriptor, target.names));
      return undefined;
    } finally {
      closeSync(target.descriptor);
    }
  });
}

/** A name in a pinned folder; a link there is itself meant, not what it leads to. */
interface Slot {
  readonly folder: number;
  readonly name: string;
  readonly place: Place;
}

function openSlot(scope: Scope, asked: string): Slot {
  const trimmed = asked.replace(/\/+$/, '');
  const name = basename(trimmed);
  if (name === '' || name === '.' || name === '..') {
    closeSync(openExisting(scope.roots, asked).descriptor);
    throw isDirectory(asked);
  }
  const parent = openExisting(scope.roots, dirname(trimmed));
  const relative = parent.place.relative === '' ? name : `${parent.place.relative}/${name}`;
  const path = `${parent.place.path}/${name}`;
  const root = placeOf(scope.roots, path)?.root ?? parent.place.root;
  const slot = { folder: parent.descriptor, name, place: { root, path, relative } };
  try {
    if (scope.roots.some((other) => other.path === path)) throw isDirectory(asked);
    checkWritable(scope.access, slot.place, asked);
    if (scope.access.protect && isInGit(relative))
      throw new GuardError('E_PROTECTED', 'Nothing is moved or removed in .git', { path: asked });
    return slot;
  } catch (error) {
    closeSync(slot.folder);
    throw error;
  }
}

/** Renames; the target's folder must be there. */
export function movePath(scope: Scope, from: string, to: string): void {
  retry(from, () => {
    const source = openSlot(scope, from);
    try {
      const target = openSlot(scope, to);
      try {
        renameSync(
          `/proc/self/fd/${source.folder}/${source.name}`,
          `/proc/self/fd/${target.folder}/${target.name}`,
        );
        return undefined;
      } finally {
        closeSync(target.folder);
      }
    } finally {
      closeSync(source.folder);
    }
  });
}

/** Removes what has this name, with all that is in it. */
export function removePath(scope: Scope, asked: string): void {
  retry(asked, () => {
    const slot = openSlot(scope, asked);
    try {
      removeEntry({ parent: slot.folder, name: slot.name, relative: slot.place.relative }, { scope, asked });
      return undefined;
    } finally {
      closeSync(slot.folder);
    }
  });
}

interface Doomed {
  readonly parent: number;
  readonly name: string;
  readonly relative: string;
}

/** Depth first; a folder that holds something denied or protected is not removed. */
function removeEntry(doomed: Doomed, context: { readonly scope: Scope; readonly asked: string }): void {
  const path = `/proc/self/fd/${doomed.parent}/${doomed.name}`;
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(descriptor).isDirectory()) {
      unlinkSync(path);
      return;
    }
    for (const name of readdirSync(`/proc/self/fd/${descriptor}`)) {
      const relative = `${doomed.relative}/${name}`;
      const { access } = context.scope;
      if (access.isDenied(relative) || (access.protect && (isProtected(relative) || isInGit(relative))))
        throw new GuardError('E_PROTECTED', `The folder holds ${relative}, which is not removed`, {
          path: context.asked,
        });
      removeEntry({ parent: descriptor, name, relative }, context);
    }
    rmdirSync(path);
  } finally {
    closeSync(descriptor);
  }
}
