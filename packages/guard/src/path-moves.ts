/** Moving and removing names beneath the roots; a link is itself meant, not what it leads to. */
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
import { O_PATH, pathOf } from './descriptor.ts';
import { GuardError } from './guard-error.ts';
import { isInGit } from './name-rules.ts';
import { checkReadable, checkWritable, isHeld, type Scope } from './path-access.ts';
import { isDirectory } from './path-changes.ts';
import { standOf, type Place } from './pinned-roots.ts';
import { openExisting } from './resolve.ts';
import { retry } from './retry.ts';
import { walkTree } from './tree-walk.ts';

const { O_NOFOLLOW } = constants;

/** A name in a pinned folder. */
interface Slot {
  readonly folder: number;
  readonly name: string;
  readonly place: Place;
  readonly asked: string;
}

/** Throws what moving or removing would; gives the place. */
export function checkSlot(scope: Scope, asked: string): Place {
  const slot = openSlot(scope, asked);
  try {
    closeSync(openMember(scope, slot, [slot.place]));
    return slot.place;
  } finally {
    closeSync(slot.folder);
  }
}

function openSlot(scope: Scope, asked: string): Slot {
  const trimmed = asked.replace(/\/+$/, '');
  const name = basename(trimmed);
  if (name === '' || name === '.' || name === '..') {
    closeSync(openExisting(scope, asked).descriptor);
    throw isDirectory(asked);
  }
  const parent = openExisting(scope, dirname(trimmed));
  try {
    return {
      folder: parent.descriptor,
      name,
      place: checkMember(scope, parent.place, { name, asked }),
      asked,
    };
  } catch (error) {
    closeSync(parent.descriptor);
    throw error;
  }
}

/** Where a name in a folder is, if it may be taken away or given. */
function checkMember(
  scope: Scope,
  folder: Place,
  { name, asked }: { readonly name: string; readonly asked: string },
): Place {
  const path = `${folder.path}/${name}`;
  if (scope.roots.some((root) => root.path === path)) throw isDirectory(asked);
  const root = standOf(scope.roots, path)?.root ?? folder.root;
  const place = { root, path, relative: path.slice(root.path.length + 1) };
  checkWritable(scope, place, asked);
  if (scope.access.protect && isInGit(place.relative))
    throw new GuardError('E_PROTECTED', 'Nothing is moved or removed in .git', { path: asked });
  return place;
}

/** Renames; the target's folder must be there. */
export function movePath(scope: Scope, from: string, to: string): void {
  retry(from, () => {
    const source = openSlot(scope, from);
    try {
      const target = openSlot(scope, to);
      try {
        move(scope, source, target);
        return undefined;
      } finally {
        closeSync(target.folder);
      }
    } finally {
      closeSync(source.folder);
    }
  });
}

function move(scope: Scope, source: Slot, target: Slot): void {
  const descriptor = openMember(scope, source, [source.place, target.place]);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isFile()) checkReadable(scope, source.place, { asked: source.asked, stat });
    if (target.asked.endsWith('/') && !stat.isDirectory()) throw isDirectory(target.asked);
    renameSync(`${pathOf(source.folder)}/${source.name}`, `${pathOf(target.folder)}/${target.name}`);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Opens what has the name, a link itself. Throws E_PROTECTED for a folder of which something is held by its name, now
 * or where it goes: a move must neither take such a name away nor give it.
 */
function openMember(scope: Scope, { folder, name, asked }: Slot, places: readonly Place[]): number {
  const descriptor = openSync(`${pathOf(folder)}/${name}`, O_PATH | O_NOFOLLOW);
  try {
    if (!fstatSync(descriptor).isDirectory()) {
      if (!asked.endsWith('/')) return descriptor;
      throw new GuardError('E_NOT_FOUND', 'A file is used as a directory', { path: asked });
    }
    walkTree(descriptor, {
      recursive: true,
      visit: ({ relative }) => {
        const below = places.map((place) => belowOf(place, relative));
        if (below.some((place) => isHeld(scope, place))) throw heldError(relative, asked);
        return true;
      },
    });
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

type Named = Pick<Place, 'path' | 'relative'>;

function belowOf({ path, relative }: Named, name: string): Named {
  return { path: `${path}/${name}`, relative: `${relative}/${name}` };
}

function heldError(name: string, path: string): GuardError {
  return new GuardError('E_PROTECTED', `The folder holds ${name}, which is neither moved nor removed`, {
    path,
  });
}

/** Removes what has this name, with all that is in it; nothing of it when something of it is held. */
export function removePath(scope: Scope, asked: string): void {
  retry(asked, () => {
    const slot = openSlot(scope, asked);
    try {
      closeSync(openMember(scope, slot, [slot.place]));
      removeEntry({ parent: slot.folder, name: slot.name, place: slot.place }, { scope, asked });
      return undefined;
    } finally {
      closeSync(slot.folder);
    }
  });
}

interface Doomed {
  readonly parent: number;
  readonly name: string;
  readonly place: Named;
}

/** Depth first, and once more with an eye on each name: the folder may have changed since it was looked through. */
function removeEntry(doomed: Doomed, context: { readonly scope: Scope; readonly asked: string }): void {
  const path = `${pathOf(doomed.parent)}/${doomed.name}`;
  const descriptor = openSync(path, O_PATH | O_NOFOLLOW);
  try {
    if (!fstatSync(descriptor).isDirectory()) {
      unlinkSync(path);
      return;
    }
    for (const name of readdirSync(pathOf(descriptor))) {
      const place = belowOf(doomed.place, name);
      if (isHeld(context.scope, place)) throw heldError(name, context.asked);
      removeEntry({ parent: descriptor, name, place }, context);
    }
    rmdirSync(path);
  } finally {
    closeSync(descriptor);
  }
}
