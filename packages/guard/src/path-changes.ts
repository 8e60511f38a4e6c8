/** Writing beneath the roots: each change pins the folder it works in, checks where that is, and works below the pin. */
import { closeSync, constants, openSync, type Stats } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { basename, dirname } from 'node:path';
import { O_PATH, pathOf } from './descriptor.ts';
import { checkSize, makeFolders, readContent, replaceContent } from './file-content.ts';
import { GuardError } from './guard-error.ts';
import { checkReadable, checkRegular, checkWritable, isWritable, type Scope } from './path-access.ts';
import { nameOf, type Place } from './pinned-roots.ts';
import { absence, locate, type Found, type Missing } from './resolve.ts';
import { retry } from './retry.ts';

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

/** Replaces a file that is there by what `change` makes of its text. */
export function editContent(scope: Scope, asked: string, change: (text: string) => string): void {
  retry(asked, () => {
    const target = locate(scope.roots, asked);
    try {
      if (target.kind === 'missing') throw unchangeable(scope, target, asked);
      const content = (size: number): Uint8Array =>
        Buffer.from(change(textOf(readContent(target.descriptor, size, asked), asked)));
      return replaceFound(scope, target, { asked, content });
    } finally {
      closeSync(target.descriptor);
    }
  });
}

/** Why what is not there cannot be changed: first what would refuse to make it. */
function unchangeable(scope: Scope, target: Missing, asked: string): GuardError {
  checkCreatable(scope, target, asked);
  return absence(scope, target, asked);
}

/** Refuses what would not come back as it was: an edit must not spoil a binary. */
function textOf(content: Buffer, asked: string): string {
  if (isUtf8(content)) return content.toString('utf8');
  throw new GuardError('E_NOT_REGULAR', 'Not a text file in UTF-8', { path: asked });
}

/** Throws what writing a whole file would; gives its place. */
export function checkWrite(scope: Scope, asked: string): Place {
  const target = locate(scope.roots, asked);
  try {
    if (target.kind === 'missing') return checkCreatable(scope, target, asked);
    checkReplaceable(scope, target, asked);
    return target.place;
  } finally {
    closeSync(target.descriptor);
  }
}

/** Throws what changing a file that is there would; gives its place. */
export function checkChange(scope: Scope, asked: string): Place {
  const target = locate(scope.roots, asked);
  try {
    if (target.kind === 'missing') throw unchangeable(scope, target, asked);
    checkSize(checkReplaceable(scope, target, asked).size, asked);
    return target.place;
  } finally {
    closeSync(target.descriptor);
  }
}

function checkReplaceable(scope: Scope, target: Found, asked: string): Stats {
  checkWritable(scope, target.place, asked);
  const stat = checkRegular(target.stat, asked);
  checkReadable(scope, target.place, { asked, stat });
  return stat;
}

interface NewContent {
  readonly asked: string;
  /** From the size that the file has. */
  readonly content: (size: number) => Uint8Array;
}

function replaceFound(scope: Scope, target: Found, { asked, content }: NewContent): 'changed' | undefined {
  const before = checkReplaceable(scope, target, asked);
  const folder = pinParent(target.place);
  if (folder === undefined) return 'changed';
  try {
    const name = basename(target.place.path);
    replaceContent({ folder, name, content: content(before.size), before, asked });
    return undefined;
  } finally {
    closeSync(folder);
  }
}

/** A path that names a folder where a file is needed. */
export function isDirectory(path: string): GuardError {
  return new GuardError('E_IS_DIRECTORY', 'A file is needed and this names a directory', { path });
}

/** The folder that holds a place, if it still stands there. */
function pinParent(place: Place): number | undefined {
  const parent = dirname(place.path);
  const below = dirname(place.relative);
  const folder = openSync(`${pathOf(place.root.descriptor)}/${below}`, O_PATH | constants.O_DIRECTORY);
  if (nameOf(folder) === parent) return folder;
  closeSync(folder);
  return undefined;
}

function createMissing(
  scope: Scope,
  target: Missing,
  { asked, content }: { readonly asked: string; readonly content: Uint8Array },
): 'changed' | undefined {
  const place = checkCreatable(scope, target, asked);
  checkSize(content.length, asked);
  const folder = makeFolders(target.descriptor, target.names.slice(0, -1));
  try {
    if (nameOf(folder) !== dirname(place.path)) return 'changed';
    replaceContent({ folder, name: basename(place.path), content, asked });
    return undefined;
  } finally {
    closeSync(folder);
  }
}

function checkCreatable(scope: Scope, target: Missing, asked: string): Place {
  const place = checkNew(scope, target, asked);
  if (/(?:^|\/)\.{0,2}$/.test(asked)) throw isDirectory(asked);
  return place;
}

/** The place of something new, file or folder, below what exists. */
function checkNew(scope: Scope, target: Missing, asked: string): Place {
  const { root, path, relative } = target.place;
  const below = target.names.join('/');
  const join = (above: string): string => [above, below].filter((part) => part !== '').join('/');
  const place = { root, path: join(path), relative: join(relative) };
  if (target.names.includes('..')) {
    if (!isWritable(place)) checkWritable(scope, place, asked);
    throw new GuardError('E_NOT_FOUND', 'A folder on the way is not there', { path: asked });
  }
  checkWritable(scope, place, asked);
  if (target.isBlocked) throw absence(scope, target, asked);
  if (!target.isDangling) return place;
  throw new GuardError('E_DANGLING_LINK', 'A write through a link whose target does not exist', {
    path: asked,
  });
}

/** Makes a folder and those above it; one that is there is fine. */
export function makePath(scope: Scope, asked: string): void {
  retry(asked, () => {
    const target = locate(scope.roots, asked);
    try {
      if (target.kind === 'found') {
        checkWritable(scope, target.place, asked);
        if (target.stat.isDirectory()) return undefined;
        throw new GuardError('E_NOT_FOUND', 'A file is used as a directory', { path: asked });
      }
      const place = checkNew(scope, target, asked);
      const made = makeFolders(target.descriptor, target.names);
      try {
        return nameOf(made) === place.path ? undefined : 'changed';
      } finally {
        closeSync(made);
      }
    } finally {
      closeSync(target.descriptor);
    }
  });
}
