import { lstat, readlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { isAsIncluded } from './attempt-include.ts';
import type { AttemptParts, CommitRequest } from './attempt-request.ts';
import { pathMatcher } from './path-patterns.ts';
import { isWithin, rawOf, shownPath, splitNul, type RawPath } from './raw-path.ts';
import { sandboxedGit } from './sandboxed-git.ts';
import { isForbiddenName, leadsOut } from './workspace-check.ts';

/** What an attempt did to its files, seen against the base. */
export interface Changes {
  readonly deleted: readonly RawPath[];
  readonly written: readonly RawPath[];
  /** Changed, but not the attempt's to change, or nothing that a commit may hold. */
  readonly outside: readonly RawPath[];
}

const fileBytesMax = 100 * 1024 * 1024;

/** Finds what differs from the index, which is as the base. Rejects with AppError E_TOO_LARGE, E_PATH_INVALID, E_ACCESS naming what no commit can have. */
export async function findChanges(request: CommitRequest, parts: AttemptParts): Promise<Changes> {
  const isExcluded = pathMatcher(request.exclude.map(rawOf));
  const workspace = request.workspace.map((path) => rawOf(path.replace(/\/+$/, '')));
  const listed = await changedPaths(parts, isExcluded);
  const found = { deleted: [] as RawPath[], written: [] as RawPath[], outside: [] as RawPath[] };
  const tooLarge: string[] = [];
  const tooDeep: RawPath[] = [];
  for (const change of listed.filter(({ path }) => !isExcluded(path))) {
    const { path } = change;
    const verdict = await judge(change, { workspace, parts });
    if (verdict.kind === 'too-large') tooLarge.push(`${shownPath(path)} (${verdict.bytes} bytes)`);
    else if (verdict.kind === 'too-deep') tooDeep.push(path);
    else if (verdict.kind !== 'none') found[verdict.kind].push(path);
  }
  if (parts.live !== undefined) return found;
  if (tooLarge.length > 0) throw fileSizeError(tooLarge);
  if (tooDeep[0] !== undefined) throw depthError(shownPath(tooDeep[0]));
  const repositories = await plantedRepositories(listed, parts);
  found.outside.push(...repositories.filter((path) => !isExcluded(path)));
  return found;
}

type Verdict =
  | { readonly kind: keyof Changes | 'none' | 'too-deep' }
  | { readonly kind: 'too-large'; readonly bytes: number };

interface JudgeContext {
  readonly workspace: readonly RawPath[];
  readonly parts: AttemptParts;
}

/** What a change is; while the attempt is at work, what moves away meanwhile is none. */
async function judge(change: ListedChange, context: JudgeContext): Promise<Verdict> {
  try {
    return await verdictOf(change, context);
  } catch (error) {
    if (context.parts.live !== undefined && hasMoved(error)) return { kind: 'none' };
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return { kind: 'too-deep' };
    throw error;
  }
}

async function verdictOf({ path, kind }: ListedChange, context: JudgeContext): Promise<Verdict> {
  const { workspace, parts } = context;
  const { tree } = parts.place;
  if (kind !== 'deleted' && (await isAsIncluded(tree, path, parts.included))) return { kind: 'none' };
  const isMine = workspace.some((place) => isWithin(path, place));
  if (kind === 'repository' || !isMine) return { kind: 'outside' };
  if (kind === 'deleted') return { kind: 'deleted' };
  if (isForbiddenName(path)) return { kind: 'outside' };
  const stat = await lstat(inTree(tree, path));
  if (await isEscape(tree, path, stat)) return { kind: 'outside' };
  return stat.size > fileBytesMax ? { kind: 'too-large', bytes: stat.size } : { kind: 'written' };
}

/** Whether an error says that something else stands at a path than a moment ago. */
function hasMoved(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'ENXIO'].includes(code);
}

function fileSizeError(files: readonly string[]): AppError {
  const shown = `${files.slice(0, 10).join(', ')}${files.length > 10 ? ' …' : ''}`;
  const text = `files of more than ${fileBytesMax} bytes cannot be committed: ${shown}; ignore or remove them`;
  return new AppError('E_TOO_LARGE', text, { details: { files } });
}

/** Its path is longer than a path of the system can be, as its checkout would be. */
function depthError(path: string): AppError {
  const text = `a path as long as this cannot be committed; ignore or remove it: ${path.slice(0, 200)} …`;
  return new AppError('E_PATH_INVALID', text);
}

interface ListedChange {
  readonly path: RawPath;
  readonly kind: 'deleted' | 'written' | 'repository';
}

/** What git finds changed: tracked files first, then new ones that nothing ignores. */
async function changedPaths(
  parts: AttemptParts,
  isExcluded: (path: RawPath) => boolean,
): Promise<ListedChange[]> {
  const args = '--porcelain=v2 -z --no-renames --untracked-files=all --ignore-submodules=all'.split(' ');
  const { stdout, stderr } = await sandboxedGit(['status', ...args], parts);
  if (parts.live === undefined) requireReadable(stderr, isExcluded);
  return splitNul(stdout).map((line): ListedChange => {
    if (line.startsWith('? ')) {
      const path = line.slice(2);
      return path.endsWith('/')
        ? { path: path.slice(0, -1) as RawPath, kind: 'repository' }
        : { path: path as RawPath, kind: 'written' };
    }
    // `1 XY sub mH mI mW hH hI path`
    const fields = line.split(' ');
    if (fields[0] !== '1') throw new AppError('E_INTERNAL', `git status says ${JSON.stringify(line)}`);
    const path = fields.slice(8).join(' ') as RawPath;
    return { path, kind: fields[1]?.[1] === 'D' ? 'deleted' : 'written' };
  });
}

/** A link that leads out of the repository, a link for a file that git itself reads, or a special file. */
async function isEscape(tree: string, path: RawPath, stat: Stats): Promise<boolean> {
  if (!stat.isSymbolicLink()) return !stat.isFile();
  if (/(^|\/)\.git[^/]*$/i.test(path)) return true;
  return leadsOut(path, await readlink(inTree(tree, path), { encoding: 'utf8' }));
}

/** Throws for a folder that git says it could not open. Git cuts what it says: of one that is too deep, the end is missing. */
function requireReadable(stderr: string, isExcluded: (path: RawPath) => boolean): void {
  for (const [, said = ''] of stderr.matchAll(/could not open directory '(.*)$/gm)) {
    const end = said.lastIndexOf("'");
    const folder = end < 0 ? said : said.slice(0, end);
    if (isExcluded(rawOf(folder))) continue;
    if (end < 0) throw depthError(folder);
    throw new AppError('E_ACCESS', `the attempt left a folder that cannot be read: ${folder}`);
  }
}

/** Repositories planted into folders that git takes for its own: their `.git`. */
async function plantedRepositories(listed: readonly ListedChange[], parts: AttemptParts): Promise<RawPath[]> {
  const { place } = parts;
  const tracked = splitNul((await place.git.run(['ls-files', '-z'])).stdout);
  const folders = new Set<string>();
  for (const path of [...tracked, ...listed.map((change) => change.path)])
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  const found: RawPath[] = [];
  const skipped = new Set<string>();
  for (const folder of [...folders].sort()) {
    const above = folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
    if (skipped.has(above) || !(await isFolder(inTree(place.tree, folder)))) skipped.add(folder);
    else if (await exists(inTree(place.tree, `${folder}/.git`))) found.push(`${folder}/.git` as RawPath);
  }
  return found;
}

async function isFolder(path: Buffer): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    // Deleted by the attempt.
    return false;
  }
}

async function exists(path: Buffer): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    // The usual case.
    return false;
  }
}

function inTree(tree: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path, 'latin1')]);
}
