/**
 * From a path as it was asked for to a descriptor inside the roots. One open with O_PATH (the kernel walks), then
 * the kernel's name of what it holds decides. Only when that fails is the path walked by hand, to answer "outside"
 * before "not there", and to find where a new file would come to stand.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { O_PATH } from './descriptor.ts';
import { asGuardError, errnoOf, GuardError } from './guard-error.ts';
import { nameOf, outsideError, placeOf, type PinnedRoot, type Place } from './pinned-roots.ts';

const linksMax = 40;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** Something that exists; `descriptor` is O_PATH and the caller's to close. */
export interface Found {
  readonly kind: 'found';
  readonly descriptor: number;
  readonly place: Place;
}

/** Where something new would stand: an existing pinned folder and the names below it that are not there. */
export interface Missing {
  readonly kind: 'missing';
  readonly descriptor: number;
  readonly place: Place;
  readonly names: readonly string[];
  /** The last existing step was a link. */
  readonly isDangling: boolean;
}

/** Opens what is there, links followed; throws a GuardError otherwise. */
export function openExisting(roots: readonly PinnedRoot[], asked: string): Found {
  const found = locate(roots, asked);
  if (found.kind === 'found') return found;
  closeSync(found.descriptor);
  throw new GuardError('E_NOT_FOUND', 'Nothing is there', { path: asked });
}

/** Opens what is there, or the place where it would be. */
export function locate(roots: readonly PinnedRoot[], asked: string): Found | Missing {
  for (let attempt = 1; ; attempt += 1) {
    const found = openAtOnce(roots, asked) ?? walk(roots, asked);
    if (found !== 'changed') return found;
    if (attempt >= 8) throw new GuardError('E_IO', 'The path changes while it is opened', { path: asked });
  }
}

/** Undefined when the kernel could not open it. */
function openAtOnce(roots: readonly PinnedRoot[], asked: string): Found | undefined {
  const [first] = roots;
  const start = asked.startsWith('/') ? asked : `/proc/self/fd/${first?.descriptor}/${asked}`;
  let descriptor: number;
  try {
    descriptor = openSync(start, O_PATH);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
  const place = placeOf(roots, nameOf(descriptor));
  if (place !== undefined) return { kind: 'found', descriptor, place };
  closeSync(descriptor);
  throw outsideError(roots, asked);
}

interface Walk {
  readonly roots: readonly PinnedRoot[];
  readonly asked: string;
  /** Names still to go, the next last. */
  readonly todo: string[];
  /** O_PATH descriptor of where we are. */
  at: number;
  links: number;
  /** Names of `todo` from here on come from a link; Infinity when none do. */
  linkFloor: number;
}

/** By hand, one name at a time. `changed`: all of it exists now, so it changed since the kernel looked. */
function walk(roots: readonly PinnedRoot[], asked: string): Missing | 'changed' {
  const start = asked.startsWith('/') ? '/' : `/proc/self/fd/${roots[0]?.descriptor}`;
  const state: Walk = {
    roots,
    asked,
    todo: namesOf(asked).reverse(),
    at: openSync(start, O_PATH),
    links: 0,
    linkFloor: Infinity,
  };
  let result: Missing | 'changed' | undefined;
  try {
    result = follow(state) ?? finished(state);
    return result;
  } finally {
    // A missing place keeps the descriptor of the folder it would be in.
    if (typeof result !== 'object') closeSync(state.at);
  }
}

/** Goes as far as names lead; undefined when all of them exist. */
function follow(state: Walk): Missing | 'changed' | undefined {
  for (let name = state.todo.pop(); name !== undefined; name = state.todo.pop()) {
    if (state.todo.length < state.linkFloor) state.linkFloor = Infinity;
    const next = openStep(state, name);
    if (next === undefined) return missing(state, name);
    if (next === 'changed') return next;
    closeSync(state.at);
    state.at = next;
  }
  return undefined;
}

/** Everything exists and yet the kernel could not open it: a trailing slash behind a file, or a change. */
function finished({ asked }: Walk): 'changed' {
  if (/\/\.?$/.test(asked))
    throw new GuardError('E_NOT_FOUND', 'A file is used as a directory', { path: asked });
  return 'changed';
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** The next step; links are taken apart into further names. Undefined: nothing of that name. */
function openStep(state: Walk, name: string): number | 'changed' | undefined {
  const path = `/proc/self/fd/${state.at}/${name}`;
  try {
    const opened = openSync(path, O_PATH | O_NOFOLLOW);
    if (!fstatSync(opened).isSymbolicLink()) return opened;
    closeSync(opened);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw refusal(state, error);
  }
  try {
    return enterLink(state, readlinkSync(path));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 'changed';
  }
}

function enterLink(state: Walk, target: string): number {
  state.links += 1;
  if (state.links > linksMax) throw new GuardError('E_SYMLINK_LOOP', 'Too many links', { path: state.asked });
  state.linkFloor = Math.min(state.linkFloor, state.todo.length);
  state.todo.push(...namesOf(target).reverse());
  return openSync(target.startsWith('/') ? '/' : `/proc/self/fd/${state.at}`, O_PATH | O_DIRECTORY);
}

/** Outside comes before every other answer: what lies there must not be told. */
function refusal(state: Walk, error: unknown): GuardError {
  return placeOf(state.roots, nameOf(state.at)) === undefined
    ? outsideError(state.roots, state.asked)
    : asGuardError(error, state.asked);
}

function missing(state: Walk, name: string): Missing {
  const place = placeOf(state.roots, nameOf(state.at));
  if (place === undefined) throw outsideError(state.roots, state.asked);
  const isDangling = state.todo.length >= state.linkFloor;
  const names = [name, ...state.todo.reverse()];
  return { kind: 'missing', descriptor: state.at, place, names, isDangling };
}
