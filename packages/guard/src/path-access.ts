/** The policy on a place: may it be read, may it be written. One answer for every operation. */
import type { Stats } from 'node:fs';
import { GuardError } from './guard-error.ts';
import { denyRule, isProtected, type DenyRule } from './name-rules.ts';
import type { PinnedRoot, Place } from './pinned-roots.ts';
import { isBelow } from './toolchains.ts';

/** What a guard works with. */
export interface Scope {
  readonly roots: readonly PinnedRoot[];
  readonly access: AccessPolicy;
}

export interface AccessPolicy {
  readonly isDenied: DenyRule;
  readonly hasDenied: boolean;
  readonly protect: boolean;
  /** Inodes (`device:inode`) of the denied files that exist, for hard links; looked up when it matters. */
  readonly deniedInodes: () => ReadonlySet<string>;
}

export interface AccessOptions {
  readonly denyRead: readonly string[];
  readonly protect: boolean;
  readonly deniedInodes: () => ReadonlySet<string>;
}

export function accessPolicy(options: AccessOptions): AccessPolicy {
  return {
    isDenied: denyRule(options.denyRead),
    hasDenied: options.denyRead.length > 0,
    protect: options.protect,
    deniedInodes: options.deniedInodes,
  };
}

const deletedMark = ' (deleted)';

/** Whether a rule holds for a name, in either reading of one that the kernel may have marked as deleted. */
function holds(rule: (relative: string) => boolean, relative: string): boolean {
  if (rule(relative)) return true;
  return relative.endsWith(deletedMark) && rule(relative.slice(0, -deletedMark.length));
}

/** Whether a canonical path is denied by its name: below any of the roots that hold it, not only the innermost. */
export function isDeniedPath({ roots, access }: Scope, path: string): boolean {
  if (!access.hasDenied) return false;
  return roots.some(
    (root) => isBelow(path, root.path) && holds(access.isDenied, path.slice(root.path.length + 1)),
  );
}

/** Whether nothing may take this away: it is denied, protected (as is `.git` itself), or a root. */
export function isHeld(scope: Scope, place: Pick<Place, 'path' | 'relative'>): boolean {
  const { roots, access } = scope;
  if (roots.some((root) => root.path === place.path) || isDeniedPath(scope, place.path)) return true;
  return access.protect && isProtected(place.relative);
}

/** Throws E_DENIED for a place that may not be read, by name or as a hard link, be it one that has just been removed. */
export function checkReadable(scope: Scope, place: Place, facts: { asked: string; stat: Stats }): void {
  const { asked, stat } = facts;
  checkName(scope, place.path, asked);
  if (!scope.access.hasDenied || !stat.isFile()) return;
  if (stat.nlink < 2 && !place.path.endsWith(deletedMark)) return;
  if (scope.access.deniedInodes().has(inodeKey(stat))) throw denied(asked);
}

/** Throws E_READ_ONLY, E_DENIED or E_PROTECTED for a place that may not be written. */
export function checkWritable(scope: Scope, place: Place, asked: string): void {
  if (!isWritable(place))
    throw new GuardError('E_READ_ONLY', 'This folder may only be read', { path: asked });
  checkName(scope, place.path, asked);
  if (scope.access.protect && holds(isProtected, place.relative))
    throw new GuardError('E_PROTECTED', 'This file can make the host run code and is protected', {
      path: asked,
    });
}

/** Whether the root, and the part of it, may be written. */
export function isWritable({ root, path }: Place): boolean {
  return root.write && (root.writes === undefined || root.writes.some((each) => isBelow(path, each)));
}

/** Throws E_DENIED for a canonical path whose name is denied. */
export function checkName(scope: Scope, path: string, asked: string): void {
  if (isDeniedPath(scope, path)) throw denied(asked);
}

function denied(path: string): GuardError {
  return new GuardError('E_DENIED', 'The policy denies this file', { path });
}

/** Throws unless it is a regular file. */
export function checkRegular(stat: Stats, asked: string): Stats {
  if (stat.isDirectory()) throw new GuardError('E_IS_DIRECTORY', 'A directory is there', { path: asked });
  if (!stat.isFile()) throw new GuardError('E_NOT_REGULAR', 'Not a regular file', { path: asked });
  return stat;
}

/** Throws unless it is a folder. */
export function checkFolder(stat: Stats, asked: string): void {
  if (!stat.isDirectory())
    throw new GuardError('E_NOT_FOUND', 'A file is used as a directory', { path: asked });
}

/** Names a file whatever its names are. */
export function inodeKey(stat: { readonly dev: number; readonly ino: number }): string {
  return `${stat.dev}:${stat.ino}`;
}
