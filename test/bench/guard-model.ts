/**
 * What the path guard must answer, said anew on a tree in memory: no descriptors, no system calls, no races. The rules
 * are those of the guard's interface and of `packages/guard/DESIGN.md`.
 */
import type { ErrorCode } from '@switchyard/protocol';

export type Node =
  | { readonly kind: 'file'; readonly content: string }
  | { readonly kind: 'folder'; readonly entries: Map<string, Node> }
  | { readonly kind: 'link'; readonly target: string };

export interface ModelRoot {
  readonly path: string;
  readonly write: boolean;
  readonly tree: Extract<Node, { kind: 'folder' }>;
}

/** A refusal of the model. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

export interface Spot {
  readonly root: ModelRoot;
  /** Names below the root; none is the root itself. */
  readonly names: readonly string[];
}

export interface Found extends Spot {
  readonly kind: 'found';
  readonly node: Node;
}

export interface Missing extends Spot {
  readonly kind: 'missing';
  /** Below what exists. */
  readonly further: readonly string[];
  readonly isDangling: boolean;
  readonly isBlocked: boolean;
}

/** Refuses what is no path, whatever the tree. */
export function checkWords(path: string): void {
  const isText = path.trim() !== '' && path === Buffer.from(path).toString();
  const isSeen = !/[\p{Cc}\u2028\u2029\u2800]/u.test(path) && !Array.from(path).some(isInvisible);
  const isPath = !/^(?:[a-z][a-z\d+.-]*:\/\/|file:|~)/i.test(path) && !path.includes('\\');
  const isShort =
    Buffer.byteLength(path) < 4096 && path.split('/').every((name) => Buffer.byteLength(name) < 256);
  if (!isText || !isSeen || !isPath || !isShort) throw new Refusal('E_PATH_INVALID');
}

function isInvisible(sign: string): boolean {
  return /[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(sign) && !/\p{Variation_Selector}/u.test(sign);
}

interface Step {
  readonly name: string;
  readonly isOfLink: boolean;
}

/** A slash behind a path, or behind what a link says, asks for a folder: a dot stands for that. */
const stepsOf = (path: string, isOfLink: boolean): Step[] => {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.length > 0 && /\/\.?$/.test(path)) names.push('.');
  return names.map((name) => ({ name, isOfLink }));
};

/** Where a path leads, links followed. */
export function locate(roots: readonly ModelRoot[], asked: string): Found | Missing {
  let links = 0;
  let todo = stepsOf(asked, false);
  let at: { root: ModelRoot; trail: { name: string; node: Node }[] } | undefined;
  let above: string | undefined;
  const begin = (path: string, rest: Step[]): void => {
    const root = path.startsWith('/') ? rootNamed(roots, rest) : roots[0];
    if (root === undefined) throw new Refusal('E_OUTSIDE_WORKSPACE');
    at = { root, trail: [] };
    todo = path.startsWith('/') ? rest.slice(root.path.split('/').length - 1) : rest;
  };
  begin(asked, todo);
  for (let step = todo.shift(); step !== undefined; step = todo.shift()) {
    if (at === undefined) throw new Error('nowhere');
    const { name } = step;
    if (name === '.') {
      const stood = at.trail.at(-1)?.node ?? at.root.tree;
      if (above !== undefined || stood.kind === 'folder') continue;
      return missing({ root: at.root, names: at.trail.map((each) => each.name) }, todo, true);
    }
    if (above !== undefined || (name === '..' && at.trail.length === 0)) {
      above = stepAbove(above ?? at.root.path, name);
      const root = roots.find((each) => each.path === above);
      const onTheWay = roots.some((each) => each.path.startsWith(above === '/' ? '/' : `${above ?? ''}/`));
      if (root !== undefined) {
        at = { root, trail: [] };
        above = undefined;
      } else if (!onTheWay) throw new Refusal('E_OUTSIDE_WORKSPACE');
      continue;
    }
    const here = at.trail.at(-1)?.node ?? at.root.tree;
    const spot = { root: at.root, names: at.trail.map((each) => each.name) };
    if (here.kind !== 'folder') return missing(spot, [step, ...todo], true);
    if (name === '..') {
      at.trail.pop();
      continue;
    }
    const next = here.entries.get(name);
    if (next === undefined) return missing(spot, [step, ...todo], false);
    if (next.kind !== 'link') {
      at.trail.push({ name, node: next });
      continue;
    }
    links += 1;
    if (links > 40) throw new Refusal('E_SYMLINK_LOOP');
    const rest = [...stepsOf(next.target, true), ...todo];
    if (next.target.startsWith('/')) begin(next.target, rest);
    else todo = rest;
  }
  if (above !== undefined || at === undefined) throw new Refusal('E_OUTSIDE_WORKSPACE');
  const node = at.trail.at(-1)?.node ?? at.root.tree;
  const spot = { root: at.root, names: at.trail.map((each) => each.name) };
  return { kind: 'found', ...spot, node };
}

function rootNamed(roots: readonly ModelRoot[], steps: readonly Step[]): ModelRoot | undefined {
  const path = `/${steps.map(({ name }) => name).join('/')}`;
  return roots.find((root) => path === root.path || path.startsWith(`${root.path}/`));
}

function stepAbove(from: string, name: string): string {
  if (name !== '..') return `${from === '/' ? '' : from}/${name}`;
  return from.slice(0, from.lastIndexOf('/')) || '/';
}

function missing(spot: Spot, further: readonly Step[], isBlocked: boolean): Missing {
  const rest = further.filter(({ name }) => name !== '.');
  let depth = spot.names.length;
  for (const { name } of rest) {
    depth += name === '..' ? -1 : 1;
    if (depth < 0) throw new Refusal('E_OUTSIDE_WORKSPACE');
  }
  const isDangling = rest[0]?.isOfLink === true;
  return { kind: 'missing', ...spot, further: rest.map(({ name }) => name), isDangling, isBlocked };
}

/** As the most forgiving file system reads a name. */
function fold(name: string): string {
  const folded = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replaceAll('i\u0307', 'i')
    .replaceAll('\u0131', 'i')
    .normalize('NFKC')
    .replace(/^(.)[^:]*:.*$/s, (whole) => whole.slice(0, whole.indexOf(':', 1)))
    .replace(/[. ]+$/, '');
  if (/^git~\d+$/.test(folded)) return '.git';
  return folded === '' ? name : folded;
}

/** The policy that the fuzzing runs with. */
export const denied = ['.env', 'secrets/**'];

export function isDenied(names: readonly string[]): boolean {
  return names.length > 0 && ['.env', 'secrets'].includes(fold(names[0] ?? ''));
}

export function isProtected(names: readonly string[]): boolean {
  const folded = names.map(fold);
  if (folded.includes('.vscode') || folded.at(-1) === '.envrc') return true;
  return folded.some((name, index) => {
    const next = folded[index + 1];
    return name === '.git' && (next === undefined || next === 'config' || next === 'hooks');
  });
}

export function isInGit(names: readonly string[]): boolean {
  return names.some((name) => fold(name) === '.git');
}
