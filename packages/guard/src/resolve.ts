/**
 * From a path as it was asked for to a descriptor inside the roots.
 *
 *   plain path ── one open by the kernel ── its own name for it is the path that was asked for ──→ found
 *        └── anything else (links, dots, absolute, not there) ── one name at a time, from the pinned root ──→
 *                found, missing, or refused
 *
 * Invariants: 1. The walk never stands outside the roots: above a root it goes by the text of the roots' own canonical
 * paths, and the first name or link that leads elsewhere is refused there and then, so no answer depends on what lies
 * outside, not even on the way back in. 2. What is found is decided by the
 * kernel's name of an open descriptor, never by a name that could change. 3. Facts are asked before the name: a file with
 * one name that still has it then had no other when its names were counted. 4. Every descriptor has one owner.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { O_PATH, pathOf } from './descriptor.ts';
import { asGuardError, errnoOf, GuardError } from './guard-error.ts';
import { checkName, type Scope } from './path-access.ts';
import {
  checkRoots,
  isOnTheWay,
  nameOf,
  outsideError,
  placeOf,
  placeOfDescriptor,
  rootOf,
  standOf,
  standOfDescriptor,
  type PinnedRoot,
  type Place,
} from './pinned-roots.ts';
import { isBelow } from './toolchains.ts';

const linksMax = 40;
const attemptsMax = 8;
const { O_NOFOLLOW } = constants;

/** Something that exists; `descriptor` is O_PATH and the caller's to close. */
export interface Found {
  readonly kind: 'found';
  readonly descriptor: number;
  /** As it was before `place` was asked for. */
  readonly stat: Stats;
  readonly place: Place;
}

/** Where something new would stand: what exists, pinned, and the names below it that are not there. */
export interface Missing {
  readonly kind: 'missing';
  readonly descriptor: number;
  readonly place: Place;
  readonly names: readonly string[];
  /** The last existing step was a link. */
  readonly isDangling: boolean;
  /** What exists is no folder: nothing can stand below it. */
  readonly isBlocked: boolean;
}

/** Opens what is there, links followed; throws a GuardError otherwise. */
export function openExisting(scope: Scope, asked: string): Found {
  const found = locate(scope.roots, asked);
  if (found.kind === 'found') return found;
  closeSync(found.descriptor);
  throw absence(scope, found, asked);
}

/** Why something that is not there cannot be used; what is denied is not told from what is not there. */
export function absence(scope: Scope, { place, names, isBlocked }: Missing, asked: string): GuardError {
  try {
    checkName(scope, [place.path, ...names].join('/'), asked);
  } catch (error) {
    return asGuardError(error, asked);
  }
  return new GuardError('E_NOT_FOUND', isBlocked ? 'A file is used as a directory' : 'Nothing is there', {
    path: asked,
  });
}

/** Opens what is there, or the place where it would be. */
export function locate(roots: readonly PinnedRoot[], asked: string): Found | Missing {
  const plain = openPlain(roots, asked);
  if (plain !== undefined) return plain;
  for (let attempt = 1; ; attempt += 1) {
    const found = walk(roots, asked);
    if (found !== 'changed') return found;
    if (attempt >= attemptsMax)
      throw new GuardError('E_IO', 'The path changes while it is opened', { path: asked });
  }
}

/** Absolute, or with an empty name, `.` or `..` anywhere. */
const notPlain = /^\.{0,2}(?:\/|$)|\/\.{0,2}(?:\/|$)/;

/**
 * One open and one question. The answer counts only when it is letter for letter the pinned root's path and what was
 * asked for: then no link and no dots were on the way, and the root stands where it stood.
 */
function openPlain(roots: readonly PinnedRoot[], asked: string): Found | undefined {
  const [first] = roots;
  if (first === undefined || notPlain.test(asked)) return undefined;
  let descriptor: number;
  try {
    descriptor = openSync(`${pathOf(first.descriptor)}/${asked}`, O_PATH);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
  const stat = fstatSync(descriptor);
  const name = nameOf(descriptor);
  const place = name === `${first.path}/${asked}` ? placeOf(roots, name) : undefined;
  if (place !== undefined) return { kind: 'found', descriptor, stat, place };
  closeSync(descriptor);
  return undefined;
}

interface Walk {
  readonly roots: readonly PinnedRoot[];
  readonly asked: string;
  /** Names still to go, the next last. */
  readonly todo: string[];
  /** O_PATH descriptor of where we are; inside the roots. */
  at: number;
  links: number;
  /** Names of `todo` from here on come from a link; Infinity when none do. */
  linkFloor: number;
  /** Above the roots: a canonical path that leads to one of them. Nothing is opened there. */
  above: string | undefined;
}

/** `changed`: a link was replaced between two looks at it. */
function walk(roots: readonly PinnedRoot[], asked: string): Found | Missing | 'changed' {
  const { root, names } = entry(roots, asked, asked);
  const at = openSync(pathOf(root.descriptor), O_PATH);
  const todo = names.reverse();
  const state: Walk = { roots, asked, todo, at, links: 0, linkFloor: Infinity, above: undefined };
  let result: Found | Missing | 'changed' | undefined;
  try {
    result = follow(state) ?? finished(state);
    return result;
  } finally {
    // What is found, and the folder of what is missing, is handed on.
    if (typeof result !== 'object') closeSync(state.at);
  }
}

/** Where a path begins: at the first root, or at the root that an absolute path names. */
function entry(
  roots: readonly PinnedRoot[],
  path: string,
  asked: string,
): { readonly root: PinnedRoot; readonly names: string[] } {
  const names = namesOf(path);
  if (!path.startsWith('/') && roots[0] !== undefined) return { root: roots[0], names };
  const start = rootOf(roots, `/${names.join('/')}`);
  if (start !== undefined) return { root: start.root, names: names.slice(start.depth) };
  checkRoots(roots, asked); // a workspace that was moved away explains more than "outside"
  throw outsideError(roots, asked);
}

/** Goes as far as names lead; undefined when all of them exist. */
function follow(state: Walk): Missing | 'changed' | undefined {
  for (let name = state.todo.pop(); name !== undefined; name = state.todo.pop()) {
    if (state.todo.length < state.linkFloor) state.linkFloor = Infinity;
    if (name === '.') {
      if (state.above === undefined && !fstatSync(state.at).isDirectory()) return missing(state, [], true);
      continue;
    }
    if (state.above !== undefined || (name === '..' && leaveRoot(state))) {
      goAbove(state, name);
      continue;
    }
    const next = openStep(state, name);
    if (next === 'nothing' || next === 'blocked') return missing(state, [name], next === 'blocked');
    if (next === 'changed') return next;
    closeSync(state.at);
    state.at = next;
    if (name === '..') standOfDescriptor(state.roots, state.at, state.asked);
  }
  if (state.above !== undefined) throw outsideError(state.roots, state.asked);
  return undefined;
}

/** Whether the next step up leaves a root for what is in none; then the walk goes on above it. */
function leaveRoot(state: Walk): boolean {
  const { path, relative } = standOfDescriptor(state.roots, state.at, state.asked);
  if (relative !== '' || standOf(state.roots, dirname(path)) !== undefined) return false;
  state.above = path;
  return true;
}

/** One step where nothing may be opened: on the way to a root it is known what is there, elsewhere it is not asked. */
function goAbove(state: Walk, name: string): void {
  const from = state.above ?? '/';
  const path = name === '..' ? dirname(from) : `${from === '/' ? '' : from}/${name}`;
  const root = state.roots.find((each) => each.path === path);
  if (root === undefined) {
    if (!state.roots.some((each) => isBelow(each.path, path))) throw outsideError(state.roots, state.asked);
    state.above = path;
    return;
  }
  const at = openSync(pathOf(root.descriptor), O_PATH);
  closeSync(state.at);
  state.at = at;
  state.above = undefined;
}

/** All of it exists. */
function finished({ roots, asked, at }: Walk): Found {
  const stat = fstatSync(at);
  const place = placeOfDescriptor(roots, at, asked);
  return { kind: 'found', descriptor: at, stat, place };
}

/** The next step; links are taken apart into further names. */
function openStep(state: Walk, name: string): number | 'changed' | 'nothing' | 'blocked' {
  checkWay(state, name);
  const path = `${pathOf(state.at)}/${name}`;
  try {
    const opened = openSync(path, O_PATH | O_NOFOLLOW);
    if (!fstatSync(opened).isSymbolicLink()) return opened;
    closeSync(opened);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'nothing';
    if (errnoOf(error) === 'ENOTDIR') return 'blocked';
    standOfDescriptor(state.roots, state.at, state.asked);
    throw asGuardError(error, state.asked);
  }
  let target: string;
  try {
    target = readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 'changed';
  }
  return enterLink(state, target);
}

/** Refuses a name that leads to nothing that may be read, before anything is asked of it. */
function checkWay({ roots, at, asked }: Walk, name: string): void {
  if (name === '..' || roots.every(({ reads }) => reads === undefined)) return;
  const { path } = standOfDescriptor(roots, at, asked);
  if (!isOnTheWay(roots, `${path}/${name}`)) throw outsideError(roots, asked);
}

function enterLink(state: Walk, target: string): number {
  state.links += 1;
  if (state.links > linksMax) throw new GuardError('E_SYMLINK_LOOP', 'Too many links', { path: state.asked });
  state.linkFloor = Math.min(state.linkFloor, state.todo.length);
  if (target.startsWith('/')) {
    const { root, names } = entry(state.roots, target, state.asked);
    state.todo.push(...names.reverse());
    return openSync(pathOf(root.descriptor), O_PATH);
  }
  state.todo.push(...namesOf(target).reverse());
  return openSync(pathOf(state.at), O_PATH);
}

/** The names of a path, or of what a link says; a dot stands last where a slash or dot asks for a folder. */
function namesOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.length > 0 && /\/\.?$/.test(path) ? [...names, '.'] : names;
}

/** Nothing of this name; what climbs out of the root behind it is outside, whatever is there. */
function missing(state: Walk, first: readonly string[], isBlocked: boolean): Missing {
  const { roots, asked, at } = state;
  const place = standOfDescriptor(roots, at, asked);
  const isDangling = state.todo.length >= state.linkFloor;
  const names = [...first, ...state.todo.filter((name) => name !== '.').reverse()];
  let depth = place.relative === '' ? 0 : place.relative.split('/').length;
  for (const next of names) {
    depth += next === '..' ? -1 : 1;
    if (depth < 0) throw outsideError(roots, asked);
  }
  if (placeOf(roots, join(place.path, ...names)) === undefined) throw outsideError(roots, asked);
  return { kind: 'missing', descriptor: at, place, names, isDangling, isBlocked };
}
