/**
 * The roots of a guard, each pinned by a descriptor, and the answer to "where is this?". The kernel's own name of
 * an open descriptor decides, so no later change of names can move a decision.
 */
import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, normalize, resolve } from 'node:path';
import { O_PATH, pathOf } from './descriptor.ts';
import { GuardError } from './guard-error.ts';
import { isBelow } from './toolchains.ts';

export interface RootPolicy {
  readonly path: string;
  readonly write: boolean;
  /** Files and folders below it, there or not, that alone may be read; all else of it is outside. Absent: all of it. */
  readonly reads?: readonly string[];
  /** Of a root that may be written: what alone of it may be. Absent: all of it. */
  readonly writes?: readonly string[];
}

export interface PinnedRoot {
  /** The kernel's name of it. */
  readonly path: string;
  /** As the policy spells it; differs where a link leads to the root. */
  readonly alias: string;
  readonly write: boolean;
  readonly descriptor: number;
  /** As of the policy, by their whole paths. */
  readonly reads: readonly string[] | undefined;
  readonly writes: readonly string[] | undefined;
}

/** A place inside a root. */
export interface Place {
  readonly root: PinnedRoot;
  /** The kernel's name; may end in ` (deleted)`. */
  readonly path: string;
  /** Below the root; empty for the root itself. */
  readonly relative: string;
}

/** Opens the roots in order; the first is what relative paths start at. Throws E_BAD_ROOT. */
export function pinRoots(policies: readonly RootPolicy[]): PinnedRoot[] {
  const pinned: PinnedRoot[] = [];
  try {
    for (const policy of policies) pinned.push(pinRoot(policy));
    if (pinned.length === 0) throw new GuardError('E_BAD_ROOT', 'A guard needs a root', { path: '' });
    return pinned;
  } catch (error) {
    for (const root of pinned) closeSync(root.descriptor);
    throw error;
  }
}

function pinRoot({ path, write, reads, writes }: RootPolicy): PinnedRoot {
  if (typeof path !== 'string' || !isAbsolute(path) || isSystemPlace(normalize(path)))
    throw new GuardError('E_BAD_ROOT', 'A workspace is named by an absolute path of its own', {
      path: String(path),
    });
  let descriptor: number;
  try {
    descriptor = openSync(realpathSync(path), O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw new GuardError('E_BAD_ROOT', 'This folder cannot be opened as a workspace', { path, cause: error });
  }
  const name = nameOf(descriptor);
  const within = (below: readonly string[] | undefined): readonly string[] | undefined =>
    below?.map((place) => join(name, place).replace(/\/+$/, ''));
  if (!isBadRoot(name))
    return {
      path: name,
      alias: resolve(path),
      write,
      descriptor,
      reads: within(reads),
      writes: within(writes),
    };
  closeSync(descriptor);
  throw new GuardError('E_BAD_ROOT', 'This folder holds more than a workspace', { path });
}

const noWorkspaces = ['/proc', '/sys', '/dev', '/boot', '/etc', '/usr', '/bin', '/sbin', '/lib', '/lib64'];

function isSystemPlace(path: string): boolean {
  return noWorkspaces.some((folder) => isBelow(path, folder));
}

/** Folders of many: homes, and what programs share. */
const shared =
  /^\/(?:home|Users|run\/user)\/[^/]+$|^\/var\/(?:tmp|lib|log|cache|spool|run)$|^\/run\/(?:user|lock)$/;

function isBadRoot(path: string): boolean {
  const isShallow = path.split('/').length <= 2;
  return isShallow || isBelow(homedir(), path) || isSystemPlace(path) || shared.test(path);
}

/** The kernel's own name of what a descriptor holds. */
export function nameOf(descriptor: number): string {
  return readlinkSync(pathOf(descriptor));
}

/** Throws E_WORKSPACE_MOVED when a root no longer stands where it stood; a removed one is named `… (deleted)`. */
export function checkRoots(roots: readonly PinnedRoot[], asked: string): void {
  for (const root of roots)
    if (nameOf(root.descriptor) !== root.path)
      throw new GuardError('E_WORKSPACE_MOVED', 'The workspace was renamed or replaced', { path: asked });
}

/**
 * Where a descriptor is. Throws E_WORKSPACE_MOVED when the root that holds it, or would have held it, is no longer
 * where it was, else E_OUTSIDE_WORKSPACE when that is in no root.
 */
export function placeOfDescriptor(roots: readonly PinnedRoot[], descriptor: number, asked: string): Place {
  return placeBy(placeOf, roots, { descriptor, asked });
}

/** The same for a place on the way to what may be read. */
export function standOfDescriptor(roots: readonly PinnedRoot[], descriptor: number, asked: string): Place {
  return placeBy(standOf, roots, { descriptor, asked });
}

function placeBy(
  find: typeof placeOf,
  roots: readonly PinnedRoot[],
  { descriptor, asked }: { readonly descriptor: number; readonly asked: string },
): Place {
  const place = find(roots, nameOf(descriptor));
  checkRoots(place === undefined ? roots : [place.root], asked);
  if (place === undefined) throw outsideError(roots, asked);
  return place;
}

/** The innermost root that holds a canonical path, and may be read there. */
export function placeOf(roots: readonly PinnedRoot[], path: string): Place | undefined {
  const place = standOf(roots, path);
  const reads = place?.root.reads;
  return reads === undefined || reads.some((each) => isBelow(path, each)) ? place : undefined;
}

/** Whether a canonical path may be looked at on the way to what may be read. */
export function isOnTheWay(roots: readonly PinnedRoot[], path: string): boolean {
  const reads = standOf(roots, path)?.root.reads;
  return reads === undefined || reads.some((each) => isBelow(path, each) || isBelow(each, path));
}

/** The innermost root that holds a canonical path, whatever may be read of it. */
export function standOf(roots: readonly PinnedRoot[], path: string): Place | undefined {
  let best: PinnedRoot | undefined;
  for (const root of roots)
    if (
      path.startsWith(root.path) &&
      (path.length === root.path.length || path[root.path.length] === '/') &&
      (best === undefined || root.path.length > best.path.length)
    )
      best = root;
  return best && { root: best, path, relative: path.slice(best.path.length + 1) };
}

/** A root that an absolute path names by its text, and how many names that takes; dots count as names. */
export function rootOf(
  roots: readonly PinnedRoot[],
  path: string,
): { readonly root: PinnedRoot; readonly depth: number } | undefined {
  for (const root of roots)
    for (const spelling of [root.path, root.alias])
      if (isBelow(path, spelling)) return { root, depth: spelling.split('/').length - 1 };
  return undefined;
}

/** The refusal for everything that is in no root, whether or not it exists. */
export function outsideError(roots: readonly PinnedRoot[], asked: string): GuardError {
  return new GuardError('E_OUTSIDE_WORKSPACE', 'File access denied: outside workspace', {
    path: asked,
    roots: allowedPaths(roots),
  });
}

/** What may be read, by whole paths. */
export function allowedPaths(roots: readonly PinnedRoot[]): string[] {
  return roots.flatMap((root) => root.reads ?? [root.path]);
}
