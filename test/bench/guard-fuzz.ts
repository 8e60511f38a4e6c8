/** The path guard against the model: any tree, any operations; every answer and every tree must be the same. */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { GuardError, openPathGuard, type PathGuard } from '@switchyard/guard';
import { denied, Refusal, type ModelRoot, type Node } from './guard-model.ts';
import { explainOnModel, needle, performOnModel, type Operation } from './guard-model-operations.ts';
import { fuzzCase, type Entry, type FuzzCase } from './guard-fuzz-cases.ts';

export interface FuzzOutcome {
  readonly cases: number;
  readonly operations: number;
  /** How many operations were done, not refused. */
  readonly done: number;
  /** Seed, path and the shrunk case of the first difference; undefined: there is none. */
  readonly difference: string | undefined;
}

/** Runs so many cases; a seed makes them the same again. */
export async function runGuardFuzz(cases: number, seed?: number): Promise<FuzzOutcome> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'guard-fuzz-')));
  const counts = { operations: 0, done: 0 };
  try {
    const property = fc.asyncProperty(fuzzCase, (each) => playCase(base, each, counts));
    const result = await fc.check(property, { numRuns: cases, ...(seed === undefined ? {} : { seed }) });
    const difference = result.failed ? fc.defaultReportMessage(result) : undefined;
    return { cases: result.numRuns, ...counts, difference };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const secret = 'nobody may see this';

async function playCase(
  base: string,
  { entries, operations }: FuzzCase,
  counts: { operations: number; done: number },
): Promise<void> {
  for (const name of ['ws', 'ro', 'out']) {
    rmSync(join(base, name), { recursive: true, force: true });
    mkdirSync(join(base, name));
  }
  for (const name of ['a', 'b']) writeFileSync(join(base, 'out', name), `${secret} ${needle}`);
  const roots: ModelRoot[] = ['ws', 'ro'].map((name) => ({
    path: join(base, name),
    write: name === 'ws',
    tree: { kind: 'folder', entries: new Map<string, Node>() },
  }));
  const fill = fillerOf(base, entries);
  plant(
    roots,
    entries.map((entry) => ({ ...entry, text: fill(entry.text) })),
  );
  const guard = openPathGuard({
    roots: roots.map(({ path, write }) => ({ path, write })),
    denyRead: denied,
    ripgrep: false,
  });
  try {
    for (const each of operations) {
      const operation = filled(each, fill);
      compareExplanations(guard, roots, operation);
      const right = answerOf(() => performOnModel(roots, operation));
      const answer = await guardAnswer(guard, operation);
      counts.operations += 1;
      if (!answer.startsWith('E_')) counts.done += 1;
      same(answer, right, JSON.stringify(operation));
      if (answer.includes(secret)) throw new Error('what lies outside was seen');
    }
    for (const root of roots) same(shown(treeAt(root.path)), shown(root.tree), `the tree of ${root.path}`);
    same(readdirSync(join(base, 'out')).join(), 'a,b', 'what lies outside');
  } finally {
    guard.close();
  }
}

function filled(operation: Operation, fill: (text: string) => string): Operation {
  const path = fill(operation.path);
  return operation.kind === 'move' ? { ...operation, path, to: fill(operation.to) } : { ...operation, path };
}

/** Puts the folder of the case and the paths of its entries in. */
const fillerOf =
  (base: string, entries: readonly Entry[]) =>
  (text: string): string =>
    text.replace(/\$(?:B|\d)/g, (word) => {
      const { root, names } = entries[Number(word.slice(1))] ?? {};
      if (names === undefined) return word === '$B' ? base : 'a';
      return root === 'ws' ? names.join('/') : [base, root, ...names].join('/');
    });

/** Makes the entries on disk and in the model; one whose place is taken, or no folder, is left out. */
function plant(roots: readonly ModelRoot[], entries: readonly Entry[]): void {
  const files: { readonly path: string; readonly node: Node }[] = [];
  for (const { root: where, names, made, text, of } of entries) {
    const root = roots[where === 'ws' ? 0 : 1];
    const folder = root && folderFor(root, names.slice(0, -1));
    const name = names.at(-1) ?? '';
    if (root === undefined || folder === undefined || folder.has(name)) continue;
    const path = [root.path, ...names].join('/');
    const first = files[of];
    if (made === 'second-name' && first !== undefined) {
      linkSync(first.path, path);
      folder.set(name, first.node);
    } else if (made === 'folder') {
      mkdirSync(path);
      folder.set(name, { kind: 'folder', entries: new Map() });
    } else if (made === 'link' && text !== '' && !text.includes('\0')) {
      symlinkSync(text, path);
      folder.set(name, { kind: 'link', target: text });
    } else {
      writeFileSync(path, text);
      const node: Node = { kind: 'file', content: text };
      files.push({ path, node });
      folder.set(name, node);
    }
  }
}

function folderFor(root: ModelRoot, names: readonly string[]): Map<string, Node> | undefined {
  let at: ModelRoot['tree'] = root.tree;
  const path = [root.path];
  for (const name of names) {
    path.push(name);
    if (!at.entries.has(name)) {
      mkdirSync(path.join('/'));
      at.entries.set(name, { kind: 'folder', entries: new Map() });
    }
    const next: Node | undefined = at.entries.get(name);
    if (next?.kind !== 'folder') return undefined;
    at = next;
  }
  return at.entries;
}

const intents = { read: 'read', list: 'list', write: 'write', edit: 'edit', remove: 'change' } as const;

function compareExplanations(guard: PathGuard, roots: readonly ModelRoot[], { path }: Operation): void {
  for (const intent of Object.values(intents)) {
    const { allowed, code } = guard.explain(path, intent);
    same(
      allowed ? 'fine' : String(code),
      explainOnModel(roots, path, intent),
      `explain ${JSON.stringify(path)} ${intent}`,
    );
  }
}

function answerOf(work: () => unknown): string {
  try {
    return JSON.stringify(work() ?? 'done');
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

async function guardAnswer(guard: PathGuard, operation: Operation): Promise<string> {
  try {
    return JSON.stringify((await performOnGuard(guard, operation)) ?? 'done');
  } catch (error) {
    if (error instanceof GuardError) return error.code;
    throw error;
  }
}

async function performOnGuard(guard: PathGuard, operation: Operation): Promise<unknown> {
  const { path } = operation;
  switch (operation.kind) {
    case 'read':
      return Buffer.from(await guard.readFile(path)).toString('utf8');
    case 'stat': {
      const { kind, size } = await guard.stat(path);
      return kind === 'file' ? `file ${size}` : kind;
    }
    case 'list':
      return (await guard.listFiles(path, { recursive: true })).map((entry) => `${entry.kind} ${entry.path}`);
    case 'search':
      return guard.searchFiles(path, needle);
    case 'mkdir':
      return guard.makeDirectory(path);
    case 'remove':
      return guard.remove(path);
    case 'edit':
      return guard.editFile(path, (text) => `${text}!`);
    case 'write':
      return guard.writeFile(path, operation.content);
    case 'move':
      return guard.move(path, operation.to);
  }
}

function treeAt(path: string): Node {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
  if (stat.isFile()) return { kind: 'file', content: readFileSync(path, 'utf8') };
  const entries = readdirSync(path).map((name) => [name, treeAt(`${path}/${name}`)] as const);
  return { kind: 'folder', entries: new Map(entries) };
}

function shown(node: Node): string {
  if (node.kind !== 'folder') return JSON.stringify(node);
  const entries = [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, child]) => `${JSON.stringify(name)}: ${shown(child)}`).join(', ')}}`;
}

function same(got: string, right: string, what: string): void {
  if (got !== right) throw new Error(`${what}: the guard says ${got}, the model ${right}`);
}
