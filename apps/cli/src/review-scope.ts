import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';
import { baseTreeOf, changedTexts, listTree, wholeFiles } from '@switchyard/analyzers';
import type { AnalysisFile, BaseTree } from '@switchyard/analyzers';
import { AppError, isAppError, type CommitId } from '@switchyard/protocol';
import {
  discoverRepository,
  openCheckoutView,
  type CheckoutView,
  type UserRepository,
} from '@switchyard/repo';

/** What a review looks at. Whoever opens it closes it. */
export interface ReviewScope {
  /** The folder that paths are relative to: the top of the repository, or the folder itself. */
  readonly root: string;
  readonly files: readonly AnalysisFile[];
  readonly since?: { readonly revision: string; readonly commit: CommitId };
  readonly base?: BaseTree;
  /** Findings on every line. */
  readonly all: boolean;
  /** For people: `12 files changed since HEAD`. */
  readonly text: string;
  close(): Promise<void>;
}

export interface ScopeOptions {
  readonly since?: string | undefined;
  readonly all: boolean;
}

/**
 * Finds what there is to review at a path: the change since a revision, else what is not committed, else everything.
 * Throws AppError E_USAGE, E_NOT_A_REPOSITORY, E_BASE_UNKNOWN.
 */
export async function openScope(path: string, options: ScopeOptions): Promise<ReviewScope> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new AppError('E_USAGE', `there is nothing at ${path} to review`);
  const place = realpathSync(path);
  const folder = stat.isDirectory() ? place : dirname(place);
  const user = await repositoryAround(folder, options);
  if (user === undefined) return folderScope(place, stat.isDirectory());
  const view = await openCheckoutView(user);
  try {
    const inside = relative(user.workTree, place).replaceAll(sep, '/');
    const change = await changeScope(view, { user, inside }, options);
    if (change !== undefined) return change;
    const files = within(await view.files(), inside);
    await view.close();
    // Everything here is ignored: it is a folder like any other.
    return files.length === 0
      ? await folderScope(place, stat.isDirectory())
      : wholeScope(user.workTree, files, options.all ? '' : ', since nothing is uncommitted');
  } catch (error) {
    await view.close();
    throw error;
  }
}

/** The repository around a folder; none is fine, unless a revision is asked for. */
async function repositoryAround(
  folder: string,
  { since }: ScopeOptions,
): Promise<UserRepository | undefined> {
  try {
    return await discoverRepository(folder);
  } catch (error) {
    const none = ['E_NOT_A_REPOSITORY', 'E_BARE_REPOSITORY', 'E_NO_COMMITS', 'E_NO_GIT'];
    if (since === undefined && isAppError(error) && none.includes(error.code)) return undefined;
    throw error;
  }
}

/** The change, where there is one to speak of; closing it closes the view. */
async function changeScope(
  view: CheckoutView,
  { user, inside }: { readonly user: UserRepository; readonly inside: string },
  { since, all }: ScopeOptions,
): Promise<ReviewScope | undefined> {
  if (since === undefined && all) return undefined;
  const commit = since === undefined ? user.head.commit : await view.forkPoint(await view.resolve(since));
  const changes = (await view.changesSince(commit)).filter(({ path }) => isWithin(path, inside));
  if (since === undefined && changes.length === 0) return undefined;
  const base = baseTreeOf((path) => view.readFile(commit, path));
  const revision = since ?? 'HEAD';
  const root = user.workTree;
  const count = changes.length === 1 ? '1 file' : `${changes.length} files`;
  return {
    root,
    files: await changedTexts(root, changes, base),
    since: { revision, commit },
    base,
    all,
    text: `${count} changed since ${revision}`,
    close: () => view.close(),
  };
}

function wholeScope(root: string, paths: readonly string[], why = ''): ReviewScope {
  const count = paths.length === 1 ? '1 file' : `all ${paths.length} files`;
  const text = `${count}${why}`;
  return { root, files: wholeFiles(paths), all: true, text, close: () => Promise.resolve() };
}

async function folderScope(place: string, isFolder: boolean): Promise<ReviewScope> {
  return isFolder ? wholeScope(place, await listTree(place)) : wholeScope(dirname(place), [basename(place)]);
}

function within(paths: readonly string[], inside: string): string[] {
  return paths.filter((path) => isWithin(path, inside));
}

function isWithin(path: string, inside: string): boolean {
  return inside === '' || path === inside || path.startsWith(`${inside}/`);
}
