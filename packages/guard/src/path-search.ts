import { setImmediate as nextTurn } from 'node:timers/promises';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { O_PATH, pathOf } from './descriptor.ts';
import { fileBytesMax, readContent } from './file-content.ts';
import { GuardError } from './guard-error.ts';
import { checkReadable, checkRegular, isDeniedPath, type Scope } from './path-access.ts';
import { nameOf } from './pinned-roots.ts';
import type { Found } from './resolve.ts';
import { findCandidates } from './ripgrep.ts';
import { requiredLiterals } from './search-literals.ts';
import { compilePattern, type SearchPattern } from './search-pattern.ts';
import { entriesBelow, isPassedOver, kindOf, openEntry, type TreeEntry } from './tree-walk.ts';

const hitsMax = 10_000;
const lineShownMax = 500;
/** How long a search may hold up everything else before it lets others run. */
const turnMs = 20;

export interface SearchOptions {
  readonly asked: string;
  readonly pattern: string;
  /** The program that may tell where to look first; undefined: the whole tree is looked through. */
  readonly ripgrep: string | undefined;
}

interface Search {
  readonly scope: Scope;
  readonly found: Found;
  readonly asked: string;
  readonly pattern: SearchPattern;
  readonly hits: string[];
}

/** Lines that match in the text files below a place: `file:line:text`. Binary and large files are left out. */
export async function searchTree(scope: Scope, found: Found, options: SearchOptions): Promise<string[]> {
  const { asked } = options;
  const pattern = compilePattern(options.pattern, asked);
  const search = { scope: lookingOnce(scope), found, asked, pattern, hits: [] };
  const { stat } = found;
  if (!stat.isDirectory()) {
    checkRegular(stat, asked);
    const relative = found.place.path.slice(found.place.path.lastIndexOf('/') + 1);
    look(search, { relative, kind: 'file', stat, descriptor: found.descriptor });
    return search.hits;
  }
  const candidates = await candidatesOf(search, options.ripgrep);
  if (candidates === undefined) await lookThrough(search);
  else await lookInto(search, candidates);
  return search.hits;
}

/** Looks for denied files at most once: a tree may be full of files with several names. */
function lookingOnce({ roots, access }: Scope): Scope {
  let inodes: ReadonlySet<string> | undefined;
  return { roots, access: { ...access, deniedInodes: () => (inodes ??= access.deniedInodes()) } };
}

/** Where alone a line can match, in the order of a walk; undefined when that is not known. */
async function candidatesOf(
  { found, pattern }: Search,
  program: string | undefined,
): Promise<readonly string[][] | undefined> {
  const literals = program === undefined ? undefined : requiredLiterals(pattern.source);
  if (program === undefined || literals === undefined) return undefined;
  const { ignoresCase } = pattern;
  const names = await findCandidates({
    program,
    folder: found.descriptor,
    literals,
    ignoresCase,
    fileBytesMax,
  });
  return names?.map((name) => name.split('/')).sort(byNames);
}

function byNames(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((name, index) => name !== b[index]);
  const [left, right] = [a[at], b[at]];
  if (left === undefined || right === undefined) return a.length - b.length;
  return left < right ? -1 : 1;
}

async function lookThrough(search: Search): Promise<void> {
  const { scope, found } = search;
  const entries = entriesBelow(found.descriptor);
  try {
    let turnEndsAt = performance.now() + turnMs;
    for (let next = entries.next(); next.done !== true && search.hits.length < hitsMax;) {
      const isDenied = isDeniedPath(scope, `${found.place.path}/${next.value.relative}`);
      if (!isDenied) look(search, next.value);
      if (performance.now() > turnEndsAt) {
        await nextTurn();
        turnEndsAt = performance.now() + turnMs;
      }
      next = entries.next(!isDenied);
    }
  } finally {
    entries.return(undefined);
  }
}

async function lookInto(search: Search, candidates: readonly string[][]): Promise<void> {
  let turnEndsAt = performance.now() + turnMs;
  for (const names of candidates) {
    if (search.hits.length >= hitsMax) return;
    const relative = names.join('/');
    const descriptor = openBelow(search.found.descriptor, names);
    if (descriptor === undefined) continue;
    try {
      const stat = fstatSync(descriptor);
      look(search, { relative, kind: kindOf(stat), stat, descriptor });
    } finally {
      closeSync(descriptor);
    }
    if (performance.now() > turnEndsAt) {
      await nextTurn();
      turnEndsAt = performance.now() + turnMs;
    }
  }
}

/** Down by the names, through no link; undefined when that is not what is there. */
function openBelow(folder: number, names: readonly string[]): number | undefined {
  let at = openSync(pathOf(folder), O_PATH);
  for (const name of names) {
    const next = openEntry(at, name);
    closeSync(at);
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

/** Adds the lines of one file that match. What may not be read, or is gone, has none. */
function look(search: Search, { relative, kind, stat, descriptor }: TreeEntry): void {
  const { scope, found, asked, pattern, hits } = search;
  if (kind !== 'file') return;
  const path = descriptor === found.descriptor ? found.place.path : `${found.place.path}/${relative}`;
  let content: Buffer;
  try {
    checkReadable(scope, { ...found.place, path }, { asked, stat });
    if (scope.access.hasDenied && nameOf(descriptor) !== path) return; // it had this name, but for how long?
    content = readContent(descriptor, stat.size, asked);
  } catch (error) {
    if (error instanceof GuardError || isPassedOver(error)) return; // denied by another name; grown too large; not ours
    throw error;
  }
  if (content.subarray(0, 8192).includes(0)) return;
  for (const [line, text] of pattern.find(content.toString('utf8'), hitsMax - hits.length))
    hits.push(`${relative}:${line}:${text.slice(0, lineShownMax)}`);
}
