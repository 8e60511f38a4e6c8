/** The policy on a place: may it be read, may it be written. One answer for every operation. */
import { fstatSync, type Stats } from 'node:fs';
import { GuardError } from './guard-error.ts';
import { denyRule, isProtected, type DenyRule } from './name-rules.ts';
import type { Place } from './pinned-roots.ts';

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
  readonly deniedInodes: (isDenied: DenyRule) => ReadonlySet<string>;
}

export function accessPolicy(options: AccessOptions): AccessPolicy {
  const isDenied = denyRule(options.denyRead);
  return {
    isDenied,
    hasDenied: options.denyRead.length > 0,
    protect: options.protect,
    deniedInodes: () => options.deniedInodes(isDenied),
  };
}

const deletedMark = ' (deleted)';

/** Both readings of a name that the kernel may have marked as deleted. */
function readings(relative: string): string[] {
  return relative.endsWith(deletedMark) ? [relative, relative.slice(0, -deletedMark.length)] : [relative];
}

/** Throws E_DENIED for a place that may not be read, by name or as a hard link. */
export function checkReadable(
  policy: AccessPolicy,
  place: Place,
  facts: { asked: string; stat: Stats },
): void {
  const { asked, stat } = facts;
  if (readings(place.relative).some(policy.isDenied)) throw denied(asked);
  if (!policy.hasDenied || !stat.isFile() || stat.nlink < 2) return;
  if (policy.deniedInodes().has(inodeKey(stat))) throw denied(asked);
}

/** Throws E_READ_ONLY, E_DENIED or E_PROTECTED for a place that may not be written. */
export function checkWritable(policy: AccessPolicy, place: Place, asked: string): void {
  if (!place.root.write) throw new GuardError('E_READ_ONLY', 'This folder may only be read', { path: asked });
  if (readings(place.relative).some(policy.isDenied)) throw denied(asked);
  if (policy.protect && readings(place.relative).some(isProtected))
    throw new GuardError('E_PROTECTED', 'This file can make the host run code and is protected', {
      path: asked,
    });
}

function denied(path: string): GuardError {
  return new GuardError('E_DENIED', 'The policy denies this file', { path });
}

/** Throws unless a descriptor holds a regular file. */
export function checkRegular(descriptor: number, asked: string): Stats {
  const stat = fstatSync(descriptor);
  if (stat.isDirectory()) throw new GuardError('E_IS_DIRECTORY', 'A directory is there', { path: asked });
  if (!stat.isFile()) throw new GuardError('E_NOT_REGULAR', 'Not a regular file', { path: asked });
  return stat;
}

/** Names a file whatever its names are. */
export function inodeKey(stat: { readonly dev: number; readonly ino: number }): string {
  return `${stat.dev}:${stat.ino}`;
}
