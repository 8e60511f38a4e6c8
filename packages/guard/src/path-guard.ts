/**
 * The path guard: files beneath the roots of a policy, and nothing else, whatever links, renames and races a
 * command plays. Decisions are made on descriptors (resolve.ts); the work is synchronous, so that a descriptor
 * never outlives its decision. The promises leave room for a thread behind the same interface.
 */
import { closeSync, fstatSync } from 'node:fs';
import { readContent } from './file-content.ts';
import { asGuardError, GuardError } from './guard-error.ts';
import { checkLexical } from './lexical.ts';
import type { DenyRule } from './name-rules.ts';
import { accessPolicy, checkReadable, checkRegular, inodeKey } from './path-access.ts';
import { editContent, makePath, movePath, removePath, writeContent, type Scope } from './path-changes.ts';
import { searchTree } from './path-search.ts';
import { checkRoots, pinRoots, placeOf, type PinnedRoot, type RootPolicy } from './pinned-roots.ts';
import { openExisting, type Found } from './resolve.ts';
import { kindOf, walkTree, type EntryKind } from './tree-walk.ts';

export interface PathGuardPolicy {
  /** Absolute folders; relative paths start at the first. */
  readonly roots: readonly RootPolicy[];
  /** Globs relative to a root: neither read, listed, searched nor written. */
  readonly denyRead?: readonly string[];
  /** Whether files that can make the host run code are protected from writing; true when absent. */
  readonly protect?: boolean;
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
  /** Links are listed, not followed; denied entries are not listed. */
  list(path: string, options?: { readonly recursive?: boolean }): Promise<ListedEntry[]>;
  /** Lines that match, as `file:line:text`, relative to `path`. */
  search(path: string, pattern: string): Promise<string[]>;
  move(from: string, to: string): Promise<void>;
  /** Removes a file, a link or a whole folder. */
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
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
    deniedInodes: (isDenied) => findDenied(roots, isDenied),
  });
  return guardOf({ roots, access });
}

function guardOf(scope: Scope): PathGuard {
  const { roots, access } = scope;
  const [first] = roots;
  let isOpen = true;
  /** Checks the words and the roots, then works; whatever goes wrong is a GuardError. */
  const perform = <Result>(path: string, work: (asked: string) => Result): Promise<Result> =>
    new Promise((resolve) => {
      if (!isOpen) throw new GuardError('E_WORKSPACE_MOVED', 'The guard is closed', { path: String(path) });
      resolve(answer(path, work, roots));
    });
  const withFound = <Result>(path: string, work: (found: Found, asked: string) => Result): Promise<Result> =>
    perform(path, (asked) => readable(scope, asked, (found) => work(found, asked)));
  return {
    roots: roots.map(({ path, write }) => ({ path, write })),
    rootDescriptor: first?.descriptor ?? -1,
    readFile: (path) =>
      withFound(path, ({ descriptor }, asked) => {
        checkRegular(descriptor, asked);
        return readContent(descriptor, asked);
      }),
    writeFile: (path, content) => perform(path, (asked) => writeContent(scope, asked, Buffer.from(content))),
    editFile: (path, change) => perform(path, (asked) => editContent(scope, asked, change)),
    stat: (path) => withFound(path, ({ descriptor }) => factsOf(descriptor)),
    list: (path, options) =>
      withFound(path, (found, asked) => listFolder(scope, found, { asked, ...options })),
    search: (path, pattern) =>
      withFound(path, (found, asked) => searchTree(access, found, { asked, pattern })),
    move: (from, to) =>
      perform(from, (source) => answer(to, (target) => movePath(scope, source, target), roots)),
    remove: (path) => perform(path, (asked) => removePath(scope, asked)),
    makeDirectory: (path) => perform(path, (asked) => makePath(scope, asked)),
    checkWorkingDirectory: (path) => withFound(path, (found, asked) => workingDirectory(found, asked)),
    close() {
      if (isOpen) for (const root of roots) closeSync(root.descriptor);
      isOpen = false;
    },
  };
}

function answer<Result>(
  path: unknown,
  work: (asked: string) => Result,
  roots: readonly PinnedRoot[],
): Result {
  const asked = checkLexical(path, { platform: 'linux', root: roots[0]?.path ?? '/' });
  try {
    checkRoots(roots, asked);
    return work(asked);
  } catch (error) {
    throw asGuardError(error, asked);
  }
}

/** Opens what is there and may be read, works on it, closes it. */
function readable<Result>({ roots, access }: Scope, asked: string, work: (found: Found) => Result): Result {
  const found = openExisting(roots, asked);
  try {
    checkReadable(access, found.place, { asked, stat: fstatSync(found.descriptor) });
    return work(found);
  } finally {
    closeSync(found.descriptor);
  }
}

function factsOf(descriptor: number): FileFacts {
  const stat = fstatSync(descriptor);
  return { kind: kindOf(stat), size: stat.size, mode: stat.mode & 0o7777, modifiedMs: stat.mtimeMs };
}

function listFolder(
  { access }: Scope,
  found: Found,
  options: { readonly asked: string; readonly recursive?: boolean },
): ListedEntry[] {
  checkFolder(found, options.asked);
  const entries: ListedEntry[] = [];
  const prefix = found.place.relative === '' ? '' : `${found.place.relative}/`;
  walkTree(found.descriptor, {
    recursive: options.recursive === true,
    visit: ({ relative, kind }) => {
      if (access.isDenied(`${prefix}${relative}`)) return false;
      entries.push({ path: relative, kind });
      return entries.length >= entriesMax ? 'stop' : true;
    },
  });
  return entries;
}

function checkFolder(found: Found, asked: string): void {
  if (!fstatSync(found.descriptor).isDirectory())
    throw new GuardError('E_NOT_FOUND', 'A file is used as a directory', { path: asked });
}

function workingDirectory(found: Found, asked: string): string {
  checkFolder(found, asked);
  if (found.place.root.write) return found.place.path;
  throw new GuardError('E_READ_ONLY', 'Commands run in writable folders only', { path: asked });
}

/** All files whose names are denied, so that their other names are too. */
function findDenied(roots: readonly PinnedRoot[], isDenied: DenyRule): Set<string> {
  const inodes = new Set<string>();
  for (const root of roots) {
    walkTree(root.descriptor, {
      recursive: true,
      visit: ({ relative, kind, stat }) => {
        if (kind === 'file' && stat.nlink > 1 && isDenied(relative)) inodes.add(inodeKey(stat));
        return placeOf(roots, `${root.path}/${relative}`)?.root === root;
      },
    });
  }
  return inodes;
}
