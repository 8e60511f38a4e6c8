import { createHash } from 'node:crypto';
import { relative, sep } from 'node:path';
import {
  baseTreeOf,
  changedTexts,
  listTree,
  readSource,
  wholeFiles,
  type AnalysisFile,
  type BaseTree,
} from '@switchyard/analyzers';
import { isAppError } from '@switchyard/protocol';
import { discoverRepository, openCheckoutView, type CheckoutView } from '@switchyard/repo';
import { ownFolders } from './session-project.ts';

/** What the reviewers of a session look at. Whoever opens it closes it. */
export interface SessionScope {
  /** Paths are relative to it. */
  readonly root: string;
  readonly files: readonly AnalysisFile[];
  readonly base?: BaseTree;
  /** Where the policy of reviews is read, where there is no base: the last commit. */
  readonly policy?: BaseTree;
  /** Findings on every line, not only on changed ones. */
  readonly all: boolean;
  /** For people. */
  readonly text: string;
  /** A file as it was before what is under review: of the base, else of the last commit; undefined: it was not there. */
  committed(path: string): Promise<string | undefined>;
  /** Of every file's content. */
  readonly digest: string;
  close(): Promise<void>;
}

/**
 * With a revision: what has changed since the history left it. Without: the files that plan and task name, and those that
 * are not committed; where there are none of either, every file. What sessions read and write is never under review.
 */
export async function openSessionScope(
  root: string,
  { named, since }: { readonly named: readonly string[]; readonly since?: string | undefined },
): Promise<SessionScope> {
  const view = await viewAround(root, since);
  try {
    const scope =
      since !== undefined && view !== undefined
        ? await changeScope(view, root, since)
        : await namedScope(view, root, named);
    const before = scope.base ?? scope.policy;
    return {
      ...scope,
      root,
      committed: async (path) => before?.read(path),
      digest: await digestOf(root, scope.files),
      close: () => close(view),
    };
  } catch (error) {
    await close(view);
    throw error;
  }
}

interface View {
  readonly checkout: CheckoutView;
  /** The project's folder in the repository, with a slash at its end, or nothing. */
  readonly inside: string;
}

type Opened = Pick<SessionScope, 'files' | 'base' | 'policy' | 'all' | 'text'>;

async function viewAround(root: string, since: string | undefined): Promise<View | undefined> {
  try {
    const user = await discoverRepository(root);
    const inside = relative(user.workTree, root).replaceAll(sep, '/');
    return { checkout: await openCheckoutView(user), inside: inside === '' ? '' : `${inside}/` };
  } catch (error) {
    const none = ['E_NOT_A_REPOSITORY', 'E_BARE_REPOSITORY', 'E_NO_COMMITS', 'E_NO_GIT'];
    if (since === undefined && isAppError(error) && none.includes(error.code)) return undefined;
    throw error;
  }
}

async function close(view: View | undefined): Promise<void> {
  await view?.checkout.close();
}

async function changeScope({ checkout, inside }: View, root: string, since: string): Promise<Opened> {
  const commit = await checkout.forkPoint(await checkout.resolve(since));
  const changes = (await checkout.changesSince(commit)).flatMap((change) =>
    within(inside, change.path).map((path) => ({ ...change, path })),
  );
  const base = baseTreeOf((path) => checkout.readFile(commit, `${inside}${path}`));
  const files = await changedTexts(root, changes, base);
  return { files, base, all: false, text: `${counted(files.length)} changed since ${since}` };
}

async function namedScope(view: View | undefined, root: string, named: readonly string[]): Promise<Opened> {
  const all = await allFiles(view, root);
  const isNamed = (path: string): boolean => named.some((one) => path === one || path.startsWith(`${one}/`));
  const byName = all.filter(isNamed);
  const changed = new Set(await uncommitted(view));
  const more = all.filter((path) => changed.has(path) && !isNamed(path));
  const files = [...byName, ...more];
  const policy = view === undefined ? {} : { policy: await committed(view) };
  if (files.length === 0)
    return {
      ...policy,
      files: wholeFiles(all),
      all: true,
      text: `all ${counted(all.length)}, since plan and task name none that is there`,
    };
  const added =
    more.length === 0
      ? ''
      : `, and ${counted(more.length)} that ${more.length === 1 ? 'is' : 'are'} not committed`;
  return {
    ...policy,
    files: wholeFiles(files),
    all: true,
    text: `${counted(byName.length)} that plan and task name${added}`,
  };
}

/** The project as it was last committed: what is not is under review. */
async function committed({ checkout, inside }: View): Promise<BaseTree> {
  const head = await checkout.resolve('HEAD');
  return baseTreeOf((path) => checkout.readFile(head, `${inside}${path}`));
}

async function allFiles(view: View | undefined, root: string): Promise<string[]> {
  if (view === undefined) return (await listTree(root)).flatMap((path) => within('', path));
  return (await view.checkout.files()).flatMap((path) => within(view.inside, path));
}

async function uncommitted(view: View | undefined): Promise<string[]> {
  if (view === undefined) return [];
  const changes = await view.checkout.changesSince(await view.checkout.resolve('HEAD'));
  return changes
    .filter(({ change }) => change !== 'deleted')
    .flatMap(({ path }) => within(view.inside, path));
}

/** A path of the repository as one of the project, if it is under review there. */
function within(inside: string, path: string): string[] {
  if (!path.startsWith(inside)) return [];
  const own = path.slice(inside.length);
  return ownFolders.some((folder) => own.startsWith(folder)) ? [] : [own];
}

async function digestOf(root: string, files: readonly AnalysisFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, change } of files) {
    const source = await readSource(root, path);
    hash.update(JSON.stringify([path, change, source]));
  }
  return hash.digest('hex');
}

function counted(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}
