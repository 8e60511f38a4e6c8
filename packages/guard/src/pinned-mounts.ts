/**
 * Mounts by descriptor. A source is opened once with O_PATH, so that what is mounted is what was checked. A
 * target beneath an earlier mount is created by us through pinned descriptors that follow no link: bubblewrap
 * before 0.12 would follow a planted one out of the sandbox while it sets up (CVE-2026-87766).
 */
import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, normalize, relative } from 'node:path';
import { AppError } from '@switchyard/protocol';
import { O_PATH } from './descriptor.ts';
import type { SandboxMount } from './sandbox-request.ts';
import { isBelow } from './toolchains.ts';

export type PinnedMount =
  | { readonly kind: 'bind'; readonly write: boolean; readonly descriptor: number; readonly target: string }
  | { readonly kind: 'memory'; readonly target: string }
  | { readonly kind: 'hide'; readonly target: string; readonly isFolder: boolean };

export interface PinnedMounts {
  readonly mounts: readonly PinnedMount[];
  /** The writable host folders, as `device:inode`. */
  readonly writable: readonly string[];
  /** Those that have mounts nested in them. */
  readonly nestedIn: readonly string[];
  close(): void;
}

interface Placed {
  readonly target: string;
  readonly source: string | undefined;
  readonly write: boolean;
  /** O_PATH descriptor of the source; undefined for memory. */
  readonly descriptor: number | undefined;
}

/**
 * Opens all sources and makes all mount points, unless it may make none. Throws E_SANDBOX when one is missing or leads
 * through a link.
 */
export function pinMounts(mounts: readonly SandboxMount[], mayMake = true): PinnedMounts {
  const held: number[] = [];
  const close = (): void => {
    for (const descriptor of held.splice(0)) closeSync(descriptor);
  };
  try {
    return { ...pinAll(mounts, { held, mayMake }), close };
  } catch (error) {
    close();
    throw error;
  }
}

function pinAll(
  mounts: readonly SandboxMount[],
  { held, mayMake }: { readonly held: number[]; readonly mayMake: boolean },
): Omit<PinnedMounts, 'close'> {
  const placed: Placed[] = [];
  const pinned: PinnedMount[] = [];
  const nestedIn = new Set<string>();
  for (const mount of mounts) {
    const target = checkTarget(mount);
    const descriptor = openSource(mount, { placed, held });
    const outer = innermost(placed, target);
    const isFolder = descriptor === undefined || fstatSync(descriptor).isDirectory();
    const point =
      outer === undefined ? undefined : { outer, target, isFolder, create: mayMake && mount.kind !== 'hide' };
    const found = point === undefined ? undefined : mountPoint(point);
    if (point !== undefined && found === undefined && mount.kind !== 'hide' && !mayMake)
      throw new AppError('E_SANDBOX', `The mount point ${target} is not there`);
    if (outer?.write === true && outer.descriptor !== undefined && outer.target !== target)
      nestedIn.add(identity(outer));
    if (mount.kind === 'hide') {
      if (found !== undefined) pinned.push({ kind: 'hide', target, isFolder: found === 'folder' });
      continue;
    }
    const write = mount.kind !== 'read';
    if (descriptor === undefined) pinned.push({ kind: 'memory', target });
    else pinned.push({ kind: 'bind', write, descriptor, target });
    placed.push({ target, source: mount.source, write, descriptor });
  }
  const writable = placed.filter(({ write, descriptor }) => write && descriptor !== undefined).map(identity);
  return { mounts: pinned, writable, nestedIn: [...nestedIn] };
}

function checkTarget(mount: SandboxMount): string {
  const asked =
    mount.kind === 'scratch' || mount.kind === 'hide' ? mount.target : (mount.target ?? mount.source);
  const target = normalize(asked).replace(/(?<=.)\/$/, '');
  if (!isAbsolute(asked) || asked.includes('\0') || target === '/')
    throw new AppError(
      'E_SANDBOX',
      `A mount needs an absolute target other than /: ${JSON.stringify(asked)}`,
    );
  return target;
}

/** A source that lies in what a command could write is only taken when no link leads to it. */
function openSource(
  mount: SandboxMount,
  context: { readonly placed: readonly Placed[]; readonly held: number[] },
): number | undefined {
  if (mount.kind === 'hide' || mount.source === undefined) return undefined;
  const source = mount.source;
  let descriptor: number;
  try {
    descriptor = openSync(source, O_PATH);
  } catch (error) {
    throw new AppError('E_SANDBOX', `The mount source ${source} cannot be opened`, { cause: error });
  }
  context.held.push(descriptor);
  const writable = context.placed.find(
    (outer) => outer.write && outer.source !== undefined && isBelow(source, outer.source),
  );
  if (writable?.descriptor !== undefined && writable.source !== undefined) {
    const expected = join2(
      readlinkSync(`/proc/self/fd/${writable.descriptor}`),
      relative(writable.source, source),
    );
    if (readlinkSync(`/proc/self/fd/${descriptor}`) !== expected)
      throw new AppError(
        'E_SANDBOX',
        `The mount source ${source} leads through a link inside a writable mount`,
      );
  }
  return descriptor;
}

function join2(folder: string, below: string): string {
  return below === '' ? folder : `${folder}/${below}`;
}

function innermost(placed: readonly Placed[], target: string): Placed | undefined {
  let best: Placed | undefined;
  for (const outer of placed)
    if (isBelow(target, outer.target) && (best === undefined || outer.target.length >= best.target.length))
      best = outer;
  return best;
}

function identity(outer: Placed): string {
  if (outer.descriptor === undefined) return 'memory';
  const { dev, ino } = fstatSync(outer.descriptor);
  return `${dev}:${ino}`;
}

interface MountPoint {
  readonly outer: Placed;
  readonly target: string;
  readonly isFolder: boolean;
  readonly create: boolean;
}

/** Walks from the pinned outer folder to the mount point, one component at a time, through no link. */
function mountPoint(point: MountPoint): 'file' | 'folder' | undefined {
  const { outer, target, create } = point;
  // Memory is empty and seen by nobody before the command starts: bubblewrap may make the mount point there.
  if (outer.descriptor === undefined) return create ? 'folder' : undefined;
  const parts = relative(outer.target, target).split('/').filter(Boolean);
  let current = openSync(`/proc/self/fd/${outer.descriptor}`, O_PATH);
  try {
    for (const [index, name] of parts.entries()) {
      const next = step(current, name, { ...point, last: index === parts.length - 1 });
      closeSync(current);
      current = -1;
      if (next === undefined) return undefined;
      current = next;
    }
    return fstatSync(current).isDirectory() ? 'folder' : 'file';
  } finally {
    if (current >= 0) closeSync(current);
  }
}

function step(
  parent: number,
  name: string,
  point: MountPoint & { readonly last: boolean },
): number | undefined {
  const path = `/proc/self/fd/${parent}/${name}`;
  const opened = openNoFollow(path);
  if (opened !== undefined) {
    const stat = fstatSync(opened);
    const misplaced = point.last
      ? point.create && stat.isDirectory() !== point.isFolder
      : !stat.isDirectory();
    if (!stat.isSymbolicLink() && !misplaced) return opened;
    closeSync(opened);
    if (!point.create && !stat.isSymbolicLink()) return undefined;
    const what = stat.isSymbolicLink() ? 'a link' : 'of another kind than the source';
    throw new AppError('E_SANDBOX', `The mount point ${point.target} cannot be used: "${name}" is ${what}`);
  }
  if (!point.create) return undefined;
  create(path, point);
  return openNoFollow(path);
}

function create(path: string, point: MountPoint & { readonly last: boolean }): void {
  try {
    if (point.last && !point.isFolder)
      closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644));
    else mkdirSync(path, 0o755);
  } catch (error) {
    throw new AppError('E_SANDBOX', `The mount point ${point.target} cannot be made`, { cause: error });
  }
}

function openNoFollow(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (!existsSync(dirname(path)) || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('E_SANDBOX', `${basename(path)} of a mount point cannot be opened`, { cause: error });
  }
}
