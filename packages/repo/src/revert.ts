import type { CommitId, RunId, TaskId } from '@switchyard/protocol';
import { oneLine, writeCommit } from './commit-object.ts';
import { describeConflicts, type ConflictFile } from './conflict-text.ts';
import type { Git } from './git-runner.ts';
import type { MergeConflict } from './merge-trees.ts';
import { ObjectReader } from './object-reader.ts';
import { spliceWorkspaces } from './splice.ts';

/** A merge of the run that is to be taken back. */
export interface RevertEntry {
  readonly taskId: TaskId;
  /** A commit that `integrateEntries` made; its first parent is what the run was without it. */
  readonly merge: CommitId;
  readonly workspace: readonly string[];
  /** One line for people: the subject of the commit. */
  readonly title: string;
}

export interface RevertRequest {
  readonly run: RunId;
  /** The tip that is built on. */
  readonly parent: CommitId;
  /** What the run began from. */
  readonly base: CommitId;
  /** The time of the decision, milliseconds; the commits carry it. */
  readonly at: number;
  /** Newest merge first. */
  readonly entries: readonly RevertEntry[];
}

export interface RevertResult {
  /** The last commit. */
  readonly tip: CommitId;
  /** Nothing is left of the run: the files are those of its base. */
  readonly isBase: boolean;
  /** Merges with which later changes are mixed, with what stands in the way. */
  readonly conflicts: { readonly taskId: TaskId; readonly files: ConflictFile[] }[];
}

/**
 * Takes merges back from a tip, one commit each, in the order given: within the workspace of its task, each is the
 * three-way merge from the merge to its first parent. A function of the request alone, as an integration is.
 */
export async function revertEntries(git: Git, request: RevertRequest): Promise<RevertResult> {
  return ObjectReader.use(git, async (reader) => {
    const conflicted: RevertResult['conflicts'] = [];
    let tip = request.parent;
    for (const entry of request.entries) {
      const conflicts: MergeConflict[] = [];
      const before = await git.line(['rev-parse', '--verify', '--quiet', `${entry.merge}^1`]);
      const [base, ours, theirs] = await Promise.all([
        reader.root(git, entry.merge),
        reader.root(git, tip),
        reader.root(git, before),
      ]);
      const context = { git, reader, conflicts };
      const root = await spliceWorkspaces(context, { base, ours, theirs }, entry.workspace);
      if (conflicts.length > 0) {
        conflicted.push({ taskId: entry.taskId, files: await describeConflicts(reader, conflicts) });
        continue;
      }
      const message = messageOf(entry, request.run);
      tip = await writeCommit(git, { tree: root.id, parents: [tip], at: request.at, message });
    }
    const [left, base] = await Promise.all([reader.root(git, tip), reader.root(git, request.base)]);
    return { tip, isBase: left.id === base.id, conflicts: conflicted };
  });
}

function messageOf({ taskId, merge, title }: RevertEntry, run: RunId): string {
  const task = oneLine(taskId, 200);
  const trailers = [`Switchyard-Rollback: ${task}`, `Switchyard-Reverts: ${merge}`, `Switchyard-Run: ${run}`];
  return `Roll back: ${oneLine(title, 100) || task}\n\n${trailers.join('\n')}\n`;
}
