/**
 * The path guard: files beneath the roots of a policy, and nothing else, whatever links, renames and races a
 * command plays. Decisions are made on descriptors (resolve.ts); the work is synchronous, so that a descriptor
 * never outlives its decision. The promises leave room for a thread behind the same interface.
 */
import { closeSync, type Stats } from 'node:fs';
import { explainPath, type Explanation, type PathIntent } from './explain.ts';
import { readContent } from './file-content.ts';
import { asGuardError, GuardError } from './guard-error.ts';
import { checkLexical } from './lexical.ts';
import {
  accessPolicy,
  checkFolder,
  checkReadable,
  checkRegular,
  inodeKey,
  isDeniedPath,
  isWritable,
  type Scope,
} from './path-access.ts';
import { editContent, makePath, writeContent } from './path-changes.ts';
import { movePath, removePath } from './path-moves.ts';
import { searchTree, type SearchOptions } from './path-search.ts';
import { isOnTheWay, pinRoots, standOf, type RootPolicy } from './pinned-roots.ts';
import { openExisting, type Found } from './resolve.ts';
import { findRipgrep } from './ripgrep.ts';
import { applySearchReplace } from './search-replace.ts';
import { insertLines } from './text-edits.ts';
import { kindOf, walkTree, type EntryKind } from './tree-walk.ts';

export interface PathGuardPolicy {
  /** Absolute folders; relative paths start at the first. */
  readonly roots: readonly RootPolicy[];
  /** Globs relative to a root: neither read, listed, searched nor written. */
  readonly denyRead?: readonly string[];
  /** Whether files that can make the host run code are protected from writing; true when absent. */
  readonly protect?: boolean;
  /** A ripgrep that makes searches faster, not different; absent: that of the machine; false: none. */
  readonly ripgrep?: string | false;
}

export interface ListedEntry {
  /** Below the listed folder. */
  readonly path: string;
  readonly kind: EntryKind;
}

export interface FileFacts {
  readonly kind: EntryKind;
  readonly size: number;
  readonly mode: number;
  readonly modifiedMs: number;
}

/** Every method rejects with a GuardError, or does what it says beneath the roots. */
export interface PathGuard {
  readonly roots: readonly { readonly path: string; readonly write: boolean }[];
  /** The descriptor that pins the first root. */
  readonly rootDescriptor: number;
  readFile(path: string): Promise<Uint8Array>;
  /** Makes missing folders; keeps mode and owner of a file that is there. */
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
  /** Reads, changes and replaces; an error of `change` changes nothing. */
  editFile(path: string, change: (text: string) => string): Promise<void>;
  stat(path: string): Promise<FileFacts>;
  /** Applies SEARCH/REPLACE blocks (see `applySearchReplace`), all or none. */
  applyDiff(path: string, diff: string): Promise<void>;
  /** Inserts before line `line + 1`: 0 is before the first line. */
  insertContent(path: string, line: number, content: string): Promise<void>;
  /** Links are listed, not followed; denied entries are not listed. */
  listFiles(path: string, options?: { readonly recursive?: boolean }): Promise<ListedEntry[]>;
  /** Lines that match, as `file:line:text`, relative to `path`. */
  searchFiles(path: string, pattern: string): Promise<string[]>;
  move(from: string, to: string): Promise<void>;
  /** Removes a file, a link or a whole folder. */
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** What would happen, and by which rule; changes nothing. */
  explain(path: string, intent: PathIntent): Explanation;
  /** Throws unless a command may work in this folder; gives its canonical path. */
  checkWorkingDirectory(path: string): Promise<string>;
  close(): void;
}

/** Entries of one listing. */
const entriesMax = 100_000;

/** Opens a guard. Throws E_BAD_ROOT, and E_SANDBOX_UNAVAILABLE where paths cannot be opened without a race. */
export function openPathGuard(policy: PathGuardPolicy): PathGuard {
  if (process.platform !== 'linux')
    throw new GuardError(
      'E_SANDBOX_UNAVAILABLE',
      `Opening files without a race needs Linux, not ${process.platform}`,
      {
        path: policy.roots[0]?.path ?? '',
      },
    );
  const roots = pinRoots(policy.roots);
  const access = accessPolicy({
    denyRead: policy.denyRead ?? [],
    protect: policy.protect ?? true,
    deniedInodes: () => findDenied(scope),
  });
  const scope: Scope = { roots, access };
  return guardOf(scope, policy.ripgrep === false ? undefined : (policy.ripgrep ?? findRipgrep()));
}

function guardOf(scope: Scope, ripgrep: string | undefined): PathGuard {
  const { roots } = scope;
  const [first] = roots;
  let isOpen = true;
  const lexical = { platform: 'linux' as const, root: first?.path ?? '/' };
  /** Checks the words, then works; whatever goes wrong is a GuardError. */
  const answer = <Result>(path: unknown, work: (asked: string) => Result | Promise<Result>) => {
    const asked = checkLexical(path, lexical);
    try {
      return work(asked);
    } catch (error) {
      throw asGuardError(error, asked);
    }
  };
  const perform = async <Result>(
    path: string,
    work: (asked: string) => Result | Promise<Result>,
  ): Promise<Result> => {
    if (!isOpen) throw new GuardError('E_WORKSPACE_MOVED', 'The guard is closed', { path: String(path) });
    return answer(path, work);
  };
  const withFound = <Result>(path: string, work: (found: Found, asked: string) => Result): Promise<Result> =>
    perform(path, (asked) => readable(scope, asked, (found) => work(found, asked)));
  return {
    roots: roots.map(({ path, write }) => ({ path, write })),
    rootDescriptor: first?.descriptor ?? -1,
    readFile: (path) =>
      perform(path, (asked) =>
        readable(scope, asked, ({ descriptor, stat }) =>
          readContent(descriptor, checkRegular(stat, asked).size, asked),
        ),
      ),
    writeFile: (path, content) =>
      perform(path, (asked) => writeContent(scope, asked, bytesOf(content, asked))),
    editFile: (path, change) => perform(path, (asked) => editContent(scope, asked, change)),
    applyDiff: (path, diff) =>
      perform(path, (asked) => editContent(scope, asked, (text) => applySearchReplace(text, diff, path))),
    insertContent: (path, line, content) =>
      perform(path, (asked) => editContent(scope, asked, (text) => insertLines(text, line, content))),
    stat: (path) => withFound(path, ({ stat }) => factsOf(stat)),
    listFiles: (path, options) =>
      withFound(path, (found, asked) => listFolder(scope, found, { asked, ...options })),
    searchFiles: (path, pattern) => perform(path, (asked) => searchBelow(scope, { asked, pattern, ripgrep })),
    move: (from, to) => perform(from, (source) => answer(to, (target) => movePath(scope, source, target))),
    remove: (path) => perform(path, (asked) => removePath(scope, asked)),
    makeDirectory: (path) => perform(path, (asked) => makePath(scope, asked)),
    explain: (path, intent) => explainPath(scope, path, intent),
    checkWorkingDirectory: (path) => withFound(path, (found, asked) => workingDirectory(found, asked)),
    close() {
      if (isOpen) for (const root of roots) closeSync(root.descriptor);
      isOpen = false;
    },
  };
}

function bytesOf(content: unknown, path: string): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  if (content instanceof Uint8Array) return content;
  throw new GuardError('E_PATH_INVALID', 'The content of a file is a text or bytes', { path });
}

/** Opens what is there and may be read, works on it, closes it. */
function readable<Result>(scope: Scope, asked: string, work: (found: Found) => Result): Result {
  const found = openExisting(scope, asked);
  try {
    checkReadable(scope, found.place, { asked, stat: found.stat });
    return work(found);
  } finally {
    closeSync(found.descriptor);
  }
}

/** The one operation that takes many turns: what it found stays open as long. */
async function searchBelow(scope: Scope, options: SearchOptions): Promise<string[]> {
  const { asked } = options;
  const found = openExisting(scope, asked);
  try {
    checkReadable(scope, found.place, { asked, stat: found.stat });
    return await searchTree(scope, found, options);
  } catch (error) {
    throw asGuardError(error, asked);
  } finally {
    closeSync(found.descriptor);
  }
}

function factsOf(stat: Stats): FileFacts {
  return { kind: kindOf(stat), size: stat.size, mode: stat.mode & 0o7777, modifiedMs: stat.mtimeMs };
}

function listFolder(
  scope: Scope,
  found: Found,
  options: { readonly asked: string; readonly recursive?: boolean },
): ListedEntry[] {
  checkFolder(found.stat, options.asked);
  const entries: ListedEntry[] = [];
  walkTree(found.descriptor, {
    recursive: options.recursive === true,
    visit: ({ relative, kind }) => {
      if (isDeniedPath(scope, `${found.place.path}/${relative}`)) return false;
      entries.push({ path: relative, kind });
      return entries.length >= entriesMax ? 'stop' : true;
    },
  });
  return entries;
}

function workingDirectory(found: Found, asked: string): string {
  checkFolder(found.stat, asked);
  if (isWritable(found.place)) return found.place.path;
  throw new GuardError('E_READ_ONLY', 'Commands run in writable folders only', { path: asked });
}

/** All files whose names are denied, so that their other names are too, also those that they had a moment ago. */
function findDenied(scope: Scope): Set<string> {
  const inodes = new Set<string>();
  for (const root of scope.roots) {
    walkTree(root.descriptor, {
      recursive: true,
      visit: ({ relative, kind, stat }) => {
        const path = `${root.path}/${relative}`;
        if (kind === 'file' && isDeniedPath(scope, path)) inodes.add(inodeKey(stat));
        return standOf(scope.roots, path)?.root === root && isOnTheWay(scope.roots, path);
      },
    });
  }
  return inodes;
}
