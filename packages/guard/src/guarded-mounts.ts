/**
 * The roots of a path guard as mounts, with what keeps a command from what the guard keeps from tools: existing
 * protected files become read-only, existing denied ones empty, whichever of their names is used. Only what exists is
 * masked, and only where no link leads (see pinned-mounts.ts); what a command newly makes under such a name, the audit
 * reports.
 */
import { closeSync } from 'node:fs';
import { GuardError } from './guard-error.ts';
import { foldName, isProtected } from './name-rules.ts';
import { accessPolicy, inodeKey, isDeniedPath, type Scope } from './path-access.ts';
import { pinRoots, type PinnedRoot, type RootPolicy } from './pinned-roots.ts';
import type { SandboxMount } from './sandbox-request.ts';
import { setupError } from './setup-error.ts';
import { isBelow } from './toolchains.ts';
import { walkTree } from './tree-walk.ts';

export interface ProtectionPolicy {
  readonly denyRead?: readonly string[];
  /** True when absent. */
  readonly protect?: boolean;
}

/** More would make every command slow to start; such a policy is refused rather than half kept. */
const masksMax = 1500;

/**
 * Mounts of the roots and of what is held in them, in the order in which they have to be made. Throws E_BAD_ROOT,
 * E_SANDBOX when the roots cannot be looked through, and E_SANDBOX_UNAVAILABLE when too much is held.
 */
export function guardedMounts(policies: readonly RootPolicy[], policy: ProtectionPolicy): SandboxMount[] {
  const roots = pinRoots(policies);
  try {
    const access = accessPolicy({
      denyRead: policy.denyRead ?? [],
      protect: policy.protect ?? true,
      deniedInodes: () => new Set(),
    });
    const masks = findMasks({ roots, access });
    if (masks.length > masksMax)
      throw new GuardError(
        'E_SANDBOX_UNAVAILABLE',
        `More than ${masksMax} files are denied or protected; deny whole folders instead`,
        { path: roots[0]?.path ?? '' },
      );
    const mounts = [
      ...roots.map(({ path, write }) => ({ path, kind: write ? ('write' as const) : ('read' as const) })),
      ...foldersAbove(masks),
      ...masks.map(({ path, kind }) => ({ path, kind: kind === 'keep' ? ('write' as const) : kind })),
    ];
    // Folders before what is in them; of one place the later, stricter one last.
    return mounts.sort((a, b) => compare(a.path, b.path)).map(asMount);
  } catch (error) {
    throw setupError(error);
  } finally {
    for (const root of roots) closeSync(root.descriptor);
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function asMount({
  path,
  kind,
}: {
  readonly path: string;
  readonly kind: 'read' | 'write' | 'hide';
}): SandboxMount {
  return kind === 'hide' ? { kind, target: path } : { kind, source: path };
}

interface Mask {
  readonly path: string;
  /** `keep` is a folder that stays where it is. */
  readonly kind: 'read' | 'hide' | 'keep';
  readonly root: PinnedRoot;
}

/** A file with several names, of which this one is not held. */
interface OtherName {
  readonly path: string;
  readonly inode: string;
  readonly root: PinnedRoot;
}

function findMasks(scope: Scope): Mask[] {
  const masks: Mask[] = [];
  const others: OtherName[] = [];
  const kinds = new Map<string, Mask['kind']>();
  let readOnly: string | undefined; // the folder that became read-only last, with all that is in it
  for (const root of scope.roots)
    walkTree(root.descriptor, {
      recursive: true,
      visit: ({ relative, kind, stat }) => {
        if (kind !== 'file' && kind !== 'folder') return true;
        const path = `${root.path}/${relative}`;
        if (scope.roots.some((other) => other.path === path)) return false; // it has its own turn
        const isReadOnly = readOnly !== undefined && isBelow(path, readOnly);
        const wanted = maskOf(scope, { path, relative, root, isFolder: kind === 'folder' });
        const mask = isReadOnly && wanted !== 'hide' ? undefined : wanted;
        if (mask === 'read' && kind === 'folder') readOnly = path;
        const inode = kind === 'file' && stat.nlink > 1 ? inodeKey(stat) : undefined;
        if (mask !== undefined) masks.push({ path, kind: mask, root });
        else if (inode !== undefined) others.push({ path, inode, root });
        // What is hidden under one name is hidden under all, even if another name is only protected.
        if (mask !== undefined && inode !== undefined && kinds.get(inode) !== 'hide') kinds.set(inode, mask);
        return mask !== 'hide';
      },
    });
  for (const { path, inode, root } of others) {
    const kind = kinds.get(inode);
    if (kind !== undefined) masks.push({ path, kind, root });
  }
  return masks;
}

interface Candidate {
  readonly path: string;
  readonly relative: string;
  readonly root: PinnedRoot;
  readonly isFolder: boolean;
}

/** A `.git` folder stays where it is, with what is protected in it; everything else that is protected is read-only. */
function maskOf(scope: Scope, { path, relative, root, isFolder }: Candidate): Mask['kind'] | undefined {
  if (isDeniedPath(scope, path)) return 'hide';
  if (!root.write || !scope.access.protect || !isProtected(relative)) return undefined;
  return isFolder && foldName(path.slice(path.lastIndexOf('/') + 1)) === '.git' ? 'keep' : 'read';
}

/** Every folder above a mask is mounted on itself: a mount point cannot be renamed away. */
function foldersAbove(masks: readonly Mask[]): { readonly path: string; readonly kind: 'write' }[] {
  const above = new Set<string>();
  const readOnly = masks.filter(({ kind }) => kind === 'read').map(({ path }) => path);
  for (const { path, root } of masks) {
    if (!root.write) continue; // what may only be read, nobody can rename
    for (let at = path.lastIndexOf('/'); at > root.path.length; at = path.lastIndexOf('/', at - 1))
      above.add(path.slice(0, at));
  }
  const kept = [...above].filter((path) => !readOnly.some((folder) => isBelow(path, folder)));
  return kept.map((path) => ({ path, kind: 'write' }));
}
