/** The operations of the path guard on the model's tree: they change it, or refuse with the code that is right. */
import { basename, dirname } from 'node:path';
import {
  checkWords,
  isDenied,
  isInGit,
  isProtected,
  locate,
  Refusal,
  type Found,
  type Missing,
  type ModelRoot,
  type Node,
  type Spot,
} from './guard-model.ts';

type Roots = readonly ModelRoot[];

/** One operation with its arguments. */
export type Operation =
  | {
      readonly kind: 'read' | 'stat' | 'list' | 'search' | 'mkdir' | 'remove' | 'edit';
      readonly path: string;
    }
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'move'; readonly path: string; readonly to: string };

/** What the fuzzing looks for in files. */
export const needle = 'needle';

/** Does it to the model; answers what the guard must answer. */
export function performOnModel(roots: Roots, operation: Operation): unknown {
  checkWords(operation.path);
  switch (operation.kind) {
    case 'read':
      return read(roots, operation.path);
    case 'stat':
      return facts(readable(roots, operation.path).node);
    case 'list':
      return list(readable(roots, operation.path));
    case 'search':
      return search(roots, readable(roots, operation.path));
    case 'mkdir':
      return makeDirectory(roots, operation.path);
    case 'remove':
      return remove(roots, operation.path);
    case 'edit':
      return edit(roots, operation.path);
    case 'write':
      return write(roots, operation.path, operation.content);
    case 'move':
      checkWords(operation.to);
      return move(roots, operation.path, operation.to);
  }
}

/** The code with which the model refuses; 'fine' when it would do it. Changes nothing but by `work`. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'fine';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** What asking before doing must answer. */
export function explainOnModel(
  roots: Roots,
  path: string,
  intent: 'read' | 'list' | 'write' | 'edit' | 'change',
): string {
  return codeOf(() => {
    checkWords(path);
    if (intent === 'read') read(roots, path);
    else if (intent === 'list') list(readable(roots, path));
    else if (intent === 'write') checkWrite(roots, path);
    else if (intent === 'edit') checkEdit(roots, path);
    else memberOf(slotOf(roots, path), []);
  });
}

function absence({ names, further }: Missing): Refusal {
  return new Refusal(isDenied([...names, ...further]) ? 'E_DENIED' : 'E_NOT_FOUND');
}

function existing(roots: Roots, path: string): Found {
  const place = locate(roots, path);
  if (place.kind === 'missing') throw absence(place);
  return place;
}

function readable(roots: Roots, path: string): Found {
  const found = existing(roots, path);
  checkReadable(roots, found);
  return found;
}

function checkReadable(roots: Roots, { names, node }: Omit<Found, 'kind'>): void {
  if (isDenied(names) || (node.kind === 'file' && hasDeniedName(roots, node))) throw new Refusal('E_DENIED');
}

function hasDeniedName(roots: Roots, file: Node): boolean {
  return roots.some(({ tree }) => below(tree).some(({ names, node }) => node === file && isDenied(names)));
}

interface Below {
  readonly names: readonly string[];
  readonly node: Node;
}

function below(node: Node, prefix: readonly string[] = []): Below[] {
  if (node.kind !== 'folder') return [];
  return [...node.entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, child]) => {
      const names = [...prefix, name];
      return [{ names, node: child }, ...below(child, names)];
    });
}

function read(roots: Roots, path: string): string {
  const { node } = readable(roots, path);
  if (node.kind !== 'file') throw new Refusal('E_IS_DIRECTORY');
  return node.content;
}

function facts(node: Node): string {
  return node.kind === 'file' ? `file ${Buffer.byteLength(node.content)}` : node.kind;
}

function list({ node, names }: Found): string[] {
  if (node.kind !== 'folder') throw new Refusal('E_NOT_FOUND');
  return below(node)
    .filter((entry) => !isDenied([...names, ...entry.names]))
    .map((entry) => `${entry.node.kind} ${entry.names.join('/')}`);
}

function search(roots: Roots, { node, names }: Found): string[] {
  const files = node.kind === 'file' ? [{ names: names.slice(-1), node }] : below(node);
  const start = node.kind === 'file' ? names.slice(0, -1) : names;
  return files
    .filter((file) => file.node.kind === 'file' && !isDenied([...start, ...file.names]))
    .filter((file) => !hasDeniedName(roots, file.node))
    .flatMap((file) => (file.node.kind === 'file' ? hitsIn(file.names.join('/'), file.node.content) : []));
}

function hitsIn(name: string, content: string): string[] {
  return content
    .split('\n')
    .flatMap((line, index) => (line.includes(needle) ? [`${name}:${index + 1}:${line}`] : []));
}

function checkWritable({ root, names }: Spot): void {
  if (!root.write) throw new Refusal('E_READ_ONLY');
  if (isDenied(names)) throw new Refusal('E_DENIED');
  if (isProtected(names)) throw new Refusal('E_PROTECTED');
}

function checkReplaceable(roots: Roots, found: Found): void {
  checkWritable(found);
  if (found.node.kind !== 'file') throw new Refusal('E_IS_DIRECTORY');
  checkReadable(roots, found);
}

function checkNew(place: Missing): Spot {
  const { root, names, further, isBlocked, isDangling } = place;
  if (further.includes('..')) throw new Refusal(root.write ? 'E_NOT_FOUND' : 'E_READ_ONLY');
  const spot = { root, names: [...names, ...further] };
  checkWritable(spot);
  if (isBlocked) throw absence(place);
  if (isDangling) throw new Refusal('E_DANGLING_LINK');
  return spot;
}

function checkWrite(roots: Roots, path: string): Spot {
  const place = locate(roots, path);
  if (place.kind === 'found') {
    checkReplaceable(roots, place);
    return place;
  }
  const spot = checkNew(place);
  if (/(?:^|\/)\.{0,2}$/.test(path)) throw new Refusal('E_IS_DIRECTORY');
  return spot;
}

function checkEdit(roots: Roots, path: string): Found {
  const place = locate(roots, path);
  if (place.kind === 'missing') {
    checkWrite(roots, path);
    throw absence(place);
  }
  checkReplaceable(roots, place);
  return place;
}

/** The entries of a folder, made on the way where it is missing. */
function folderOf({ root, names }: Spot): Map<string, Node> {
  let folder: ModelRoot['tree'] = root.tree;
  for (const name of names) {
    if (!folder.entries.has(name)) folder.entries.set(name, { kind: 'folder', entries: new Map() });
    const next: Node | undefined = folder.entries.get(name);
    if (next?.kind !== 'folder') throw new Error('no folder');
    folder = next;
  }
  return folder.entries;
}

function put({ root, names }: Spot, node: Node): void {
  folderOf({ root, names: names.slice(0, -1) }).set(names.at(-1) ?? '', node);
}

function write(roots: Roots, path: string, content: string): void {
  put(checkWrite(roots, path), { kind: 'file', content });
}

function edit(roots: Roots, path: string): void {
  const found = checkEdit(roots, path);
  if (found.node.kind === 'file') put(found, { kind: 'file', content: `${found.node.content}!` });
}

function makeDirectory(roots: Roots, path: string): void {
  const place = locate(roots, path);
  if (place.kind === 'missing') {
    folderOf(checkNew(place));
    return;
  }
  checkWritable(place);
  if (place.node.kind !== 'folder') throw new Refusal('E_NOT_FOUND');
}

interface Slot extends Spot {
  readonly asked: string;
  /** What has the name: nothing, when the folder is none. */
  readonly entries: Map<string, Node> | undefined;
}

/** A name in the folder that the path before it leads to; the name itself is not followed. */
function slotOf(roots: Roots, asked: string): Slot {
  const trimmed = asked.replace(/\/+$/, '');
  const name = basename(trimmed);
  if (['', '.', '..'].includes(name)) {
    existing(roots, asked);
    throw new Refusal('E_IS_DIRECTORY');
  }
  const folder = existing(roots, dirname(trimmed));
  const spot = { root: folder.root, names: [...folder.names, name] };
  checkWritable(spot);
  if (isInGit(spot.names)) throw new Refusal('E_PROTECTED');
  return { ...spot, asked, entries: folder.node.kind === 'folder' ? folder.node.entries : undefined };
}

/** What has the name, if neither it nor anything in it is held where it is, nor where it goes. */
function memberOf({ asked, names, entries }: Slot, goesTo: readonly Spot[]): Node {
  const node = entries?.get(names.at(-1) ?? '');
  if (node === undefined) throw new Refusal('E_NOT_FOUND');
  if (node.kind !== 'folder' && asked.endsWith('/')) throw new Refusal('E_NOT_FOUND');
  const places = [names, ...goesTo.map((spot) => spot.names)];
  const held = below(node).some((entry) => places.some((place) => isHeld([...place, ...entry.names])));
  if (held) throw new Refusal('E_PROTECTED');
  return node;
}

function isHeld(names: readonly string[]): boolean {
  return isDenied(names) || isProtected(names) || isInGit(names);
}

function remove(roots: Roots, asked: string): void {
  const slot = slotOf(roots, asked);
  memberOf(slot, []);
  slot.entries?.delete(slot.names.at(-1) ?? '');
}

function move(roots: Roots, from: string, to: string): void {
  const source = slotOf(roots, from);
  const target = slotOf(roots, to);
  const node = memberOf(source, [target]);
  if (node.kind === 'file') checkReadable(roots, { ...source, node });
  if (to.endsWith('/') && node.kind !== 'folder') throw new Refusal('E_IS_DIRECTORY');
  rename({ source, target, node });
}

/** As the system renames. */
function rename({
  source,
  target,
  node,
}: {
  readonly source: Slot;
  readonly target: Slot;
  readonly node: Node;
}): void {
  if (target.entries === undefined) throw new Refusal('E_NOT_FOUND');
  const name = target.names.at(-1) ?? '';
  const there = target.entries.get(name);
  if (there === node) return;
  if (isBelow(target.names, source.names) && node.kind === 'folder') throw new Refusal('E_IO');
  if (there?.kind === 'folder' && (node.kind !== 'folder' || there.entries.size > 0))
    throw new Refusal('E_IS_DIRECTORY');
  if (there !== undefined && there.kind !== 'folder' && node.kind === 'folder')
    throw new Refusal('E_NOT_FOUND');
  source.entries?.delete(source.names.at(-1) ?? '');
  target.entries.set(name, node);
}

function isBelow(names: readonly string[], folder: readonly string[]): boolean {
  return names.length > folder.length && folder.every((name, index) => name === names[index]);
}
