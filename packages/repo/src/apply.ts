import {
  AppError,
  commitId,
  type ChangedFile,
  type CommitId,
  type RunId,
  howItEnded,
  type Receipt,
} from '@switchyard/protocol';
import { moveCheckout, userGit } from './apply-checkout.ts';
import { checkoutState, type CheckoutState, type Move } from './checkout-state.ts';
import { treeChanges, type RawChange } from './changed-files.ts';
import { writeCommit } from './commit-object.ts';
import { describeConflicts, type ConflictFile } from './conflict-text.ts';
import { Git } from './git-runner.ts';
import { beginMove, endMove, hasBegun, removeHalves } from './half-written.ts';
import { mergeEntries, type MergeConflict } from './merge-trees.ts';
import { copyObjects, refTips } from './object-transfer.ts';
import { ObjectReader } from './object-reader.ts';
import { giveObjects, publishedName } from './publish.ts';
import { rawOf, shownPath } from './raw-path.ts';
import { importShallow } from './shallow-history.ts';
import { readHead, type UserRepository } from './user-repository.ts';

export interface ApplyRequest {
  readonly run: RunId;
  /** The commit of the run that is applied: its tip. */
  readonly commit: CommitId;
  /** Verifies a merged result, asked only where the user's head has moved; answers what does not pass, if something does not. */
  readonly verify: (commit: CommitId) => Promise<Receipt | undefined>;
}

export interface ApplyResult {
  /** What the user's checkout is at now. */
  readonly commit: CommitId;
  readonly fastForward: boolean;
  /** What has changed; nothing: the branch has not moved either. */
  readonly files: string[];
}

/** What `apply` would do. */
export interface ApplyPlan {
  readonly head: CommitId;
  readonly fastForward: boolean;
  readonly files: ChangedFile[];
  readonly conflicts: ConflictFile[];
  /** Uncommitted changes of the user in files that would change. */
  readonly dirty: string[];
}

export interface ApplyContext {
  readonly git: Git;
  readonly gitDir: string;
  readonly user: UserRepository;
}

interface Prepared {
  readonly head: UserRepository['head'];
  /** What the head becomes; nothing where the two conflict. */
  readonly target: CommitId | undefined;
  readonly fastForward: boolean;
  readonly changes: RawChange[];
  readonly conflicts: ConflictFile[];
}

/** Looks at what `apply` would do, without doing it. */
export async function planApply(context: ApplyContext, run: RunId, commit: CommitId): Promise<ApplyPlan> {
  const { head, target, fastForward, changes, conflicts } = await prepare(context, run, commit);
  if (target !== undefined) await giveObjects(context, [target]);
  const begun = target !== undefined && (await hasBegun(context.git, run, target));
  const move = target === undefined ? undefined : { head, target, changes, aside: context.gitDir, begun };
  return {
    head: head.commit,
    fastForward,
    files: changes.map(({ path, change }) => ({ path: shownPath(path), change })),
    conflicts,
    dirty: move === undefined ? [] : (await checkoutState(userGit(context.user), context.user, move)).dirty,
  };
}

/**
 * Puts a run onto the head of the user's checkout: forward where nothing else happened, else merged and verified
 * once more. Either all of branch, index and files move or none; a second call after a crash in the middle finishes.
 */
export async function applyRun(context: ApplyContext, request: ApplyRequest): Promise<ApplyResult> {
  for (let tries = 1; ; tries += 1) {
    const applied = await applyOnce(context, request);
    if (applied !== undefined) return applied;
    if (tries === triesMax) {
      throw new AppError(
        'E_APPLY_CONFLICT',
        `your branch moved each time while the merged result was verified; apply again when it rests`,
      );
    }
  }
}

const triesMax = 3;

/** Nothing if the head moved while the result was verified. */
async function applyOnce(context: ApplyContext, request: ApplyRequest): Promise<ApplyResult | undefined> {
  const { user } = context;
  const { head, target, fastForward, changes, conflicts } = await prepare(
    context,
    request.run,
    request.commit,
  );
  if (target === undefined) throw await conflictError(user, request, conflicts);
  const begun = await hasBegun(context.git, request.run, target);
  // Commits that change nothing of it, as those of a run that was rolled back whole, are no cause to move a branch.
  if (target === head.commit || changes.length === 0) {
    if (begun) await endMove(context.git, request.run);
    return { commit: head.commit, fastForward: true, files: [] };
  }
  await giveObjects(context, [target]);
  const git = userGit(user);
  const move = { head, target, changes, aside: context.gitDir, begun };
  await cleanState(git, user, move);
  const failed = fastForward ? undefined : await request.verify(target);
  if (failed !== undefined) throw await unverifiedError(user, request, { target, failed });
  // Verification takes its time: the user may have gone on meanwhile.
  const now = await readHead(user.gitDir, user.workTree);
  if (now.commit !== head.commit || now.branch !== head.branch) return undefined;
  const { finished, half } = await cleanState(git, user, move);
  await beginMove(context.git, request.run, target);
  removeHalves(user, half);
  await moveCheckout(git, move, { run: request.run, user, finished });
  await endMove(context.git, request.run);
  return { commit: target, fastForward, files: changes.map(({ path }) => shownPath(path)) };
}

async function prepare(context: ApplyContext, run: RunId, commit: CommitId): Promise<Prepared> {
  const { git, gitDir, user } = context;
  const head = await readHead(user.gitDir, user.workTree);
  const from = Git.at(user.gitDir);
  await importShallow(user.gitCommonDir, gitDir);
  await copyObjects({ from, to: git, commits: [head.commit], have: await refTips(git) });
  const isBefore = (a: string, b: string) => git.holds(['merge-base', '--is-ancestor', a, b]);
  if (await isBefore(commit, head.commit)) {
    return { head, target: head.commit, fastForward: true, changes: [], conflicts: [] };
  }
  const fastForward = await isBefore(head.commit, commit);
  const merged = fastForward
    ? { target: commit, conflicts: [] }
    : await mergeOnto(context, { run, commit, head: head.commit });
  const { target, conflicts } = merged;
  if (target !== undefined) await git.run(['update-ref', `refs/switchyard/pinned/${run}/apply`, target]);
  const changes = target === undefined ? [] : await treeChanges(git, head.commit, target);
  return { head, target, fastForward, changes, conflicts };
}

async function mergeOnto(
  { git, user }: ApplyContext,
  { run, commit, head }: { readonly run: RunId; readonly commit: CommitId; readonly head: CommitId },
): Promise<{ target: CommitId | undefined; conflicts: ConflictFile[] }> {
  const found = await git.run(['merge-base', head, commit], { accept: [1] });
  const base = commitId.safeParse(found.stdout.toString('utf8').trim());
  return ObjectReader.use(git, async (reader) => {
    const conflicts: MergeConflict[] = [];
    const tree = await mergeEntries({ git, reader, conflicts }, rawOf('.'), {
      base: base.success ? await reader.root(git, base.data) : undefined,
      ours: await reader.root(git, head),
      theirs: await reader.root(git, commit),
    });
    if (conflicts.length > 0 || tree === undefined) {
      return { target: undefined, conflicts: await describeConflicts(reader, conflicts) };
    }
    // Of the two, the later one's time: no clock, so that the same merge is the same commit.
    const times = await Promise.all([head, commit].map((id) => git.line(['log', '-1', '--format=%ct', id])));
    const target = await writeCommit(git, {
      tree: tree.id,
      parents: [head, commit],
      at: Math.max(...times.map(Number)) * 1000,
      message: `Apply switchyard/${run}\n\nSwitchyard-Run: ${run}\n`,
      ...(await personOf(user)),
    });
    return { target, conflicts: [] };
  });
}

/** The user, as their git knows them: the merge is theirs. */
async function personOf(user: UserRepository): Promise<{ person?: string }> {
  const { stdout } = await userGit(user).run(['var', 'GIT_COMMITTER_IDENT'], { accept: [1, 128] });
  const [person] = /^[^<>\n]+ <[^<>\n]*>/.exec(stdout.toString('utf8')) ?? [];
  return person === undefined ? {} : { person };
}

/** The state of a checkout that the move does no harm to. Throws AppError E_APPLY_DIRTY. */
async function cleanState(git: Git, user: UserRepository, move: Move): Promise<CheckoutState> {
  const state = await checkoutState(git, user, move);
  const paths = state.dirty;
  if (paths.length === 0) return state;
  const shown = paths.slice(0, 10).join(', ');
  const more = paths.length > 10 ? ` and ${paths.length - 10} more` : '';
  throw new AppError(
    'E_APPLY_DIRTY',
    `your checkout has uncommitted changes in ${paths.length === 1 ? 'a file' : `${paths.length} files`} that the run changes: ${shown}${more}; commit or stash them and apply again`,
    { details: { paths } },
  );
}

/** Told to be merged by hand, where the user's repository has it under that name. */
async function mergeCommand(user: UserRepository, { run, commit }: ApplyRequest): Promise<string> {
  return `git merge ${(await publishedName(user.gitDir, run, commit)).name}`;
}

async function unverifiedError(
  user: UserRepository,
  request: ApplyRequest,
  { target, failed }: { readonly target: CommitId; readonly failed: Receipt },
): Promise<AppError> {
  const output = failed.outputTail.trim().split('\n').slice(-outputLines).join('\n').slice(-2_000);
  const why = `${howItEnded(failed)}${output === '' ? '' : `:\n${output}`}`;
  return new AppError(
    'E_APPLY_UNVERIFIED',
    `your branch has moved since the run began, and the two merged (${target}) do not pass the plan's verification; your checkout is as it was. To merge it all the same: ${await mergeCommand(user, request)}\n${why}`,
    { details: { commit: target } },
  );
}

/** Of what the command said last. */
const outputLines = 10;

async function conflictError(
  user: UserRepository,
  request: ApplyRequest,
  conflicts: readonly ConflictFile[],
): Promise<AppError> {
  const paths = conflicts.map(({ path }) => path);
  const shown = paths.slice(0, 10).join(', ');
  return new AppError(
    'E_APPLY_CONFLICT',
    `the run and your branch changed the same in ${shown}${paths.length > 10 ? ` and ${paths.length - 10} more` : ''}; your checkout is as it was. Merge by hand: ${await mergeCommand(user, request)}`,
    { details: { paths, conflicts } },
  );
}
