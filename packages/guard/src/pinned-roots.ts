/**
 * The roots of a guard, each pinned by a descriptor, and the answer to "where is this?". The kernel's own name of
 * an open descriptor decides, so no later change of names can move a decision.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { O_PATH } from './descriptor.ts';
import { GuardError } from './guard-error.ts';
import { isBelow } from './toolchains.ts';

export interface RootPolicy {
  readonly path: string;
  readonly write: boolean;
}

export interface PinnedRoot {
  /** The kernel's name of it. */
  readonly path: string;
  readonly write: boolean;
  readonly descriptor: number;
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

function pinRoot({ path, write }: RootPolicy): PinnedRoot {
  let descriptor: number;
  try {
    descriptor = openSync(realpathSync(path), O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw new GuardError('E_BAD_ROOT', 'This folder cannot be opened as a workspace', { path, cause: error });
  }
  const name = nameOf(descriptor);
  if (!isBadRoot(name)) return { path: name, write, descriptor };
  closeSync(descriptor);
  throw new GuardError('E_BAD_ROOT', 'This folder holds more than a workspace', { path });
}

const noWorkspaces = ['/proc', '/sys', '/dev', '/boot', '/etc', '/usr', '/bin', '/sbin', '/lib', '/lib64'];

function isBadRoot(path: string): boolean {
  const isShallow = path.split('/').length <= 2;
  return isShallow || isBelow(homedir(), path) || noWorkspaces.some((folder) => isBelow(path, folder));
}

/** The kernel's own name of what a descriptor holds. */
export function nameOf(descriptor: number): string {
  return readlinkSync(`/proc/self/fd/${descriptor}`);
}

/** Throws E_WORKSPACE_MOVED when a root no longer stands where it stood. */
export function checkRoots(roots: readonly PinnedRoot[], asked: string): void {
  for (const root of roots)
    if (nameOf(root.descriptor) !== root.path || fstatSync(root.descriptor).nlink === 0)
      throw new GuardError('E_WORKSPACE_MOVED', 'The workspace was renamed or replaced', { path: asked });
}

/** The innermost root that holds a canonical path. */
export function placeOf(roots: readonly PinnedRoot[], path: string): Place | undefined {
  let best: PinnedRoot | undefined;
  for (const root of roots)
    if (isBelow(path, root.path) && (best === undefined || root.path.length > best.path.length)) best = root;
  return best && { root: best, path, relative: path.slice(best.path.length + 1) };
}

/** The refusal for everything that is in no root, whether or not it exists. */
export function outsideError(roots: readonly PinnedRoot[], asked: string): GuardError {
  return new GuardError('E_OUTSIDE_WORKSPACE', 'File access denied: outside workspace', {
    path: asked,
    roots: roots.map((root) => root.path),
  });
}
