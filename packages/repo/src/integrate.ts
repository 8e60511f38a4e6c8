import type { CommitId, Fence, RunId, TaskId } from '@switchyard/protocol';
import { oneLine, writeCommit } from './commit-object.ts';
import { describeConflicts, type ConflictFile } from './conflict-text.ts';
import type { Git } from './git-runner.ts';
import type { MergeConflict } from './merge-trees.ts';
import { ObjectReader } from './object-reader.ts';
import { spliceWorkspaces } from './splice.ts';

/** An accepted attempt that is to go onto the run. */
export interface IntegrationEntry {
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly fence: Fence;
  readonly commit: CommitId;
  /** The only parent of `commit`. */
  readonly base: CommitId;
  readonly workspace: readonly string[];
  /** One line for people: the subject of the commit. */
  readonly title: string;
}

export interface IntegrationRequest {
  readonly run: RunId;
  /** The tip that is built on. */
  readonly parent: CommitId;
  /** The time of the decision, milliseconds; the commits carry it. */
  readonly at: number;
  readonly entries: readonly IntegrationEntry[];
}

export interface IntegrationResult {
  /** The last commit; `parent` when nothing was merged. */
  readonly tip: CommitId;
  readonly merged: { readonly taskId: TaskId; readonly commit: CommitId }[];
  /** Tasks of which nothing was taken, with both sides of each file. */
  readonly conflicts: { readonly taskId: TaskId; readonly files: ConflictFile[] }[];
}

/**
 * Puts accepted attempts onto a tip, one commit each, in the order given. The commits are a function of the request
 * alone: calling it again, also after a crash, gives the same ids (DESIGN.md section 8). Each is a merge of the tip
 * and the attempt's own commit, so that `git log --first-parent` tells the run task by task.
 */
export async function integrateEntries(git: Git, request: IntegrationRequest): Promise<IntegrationResult> {
  return ObjectReader.use(git, async (reader) => {
    const result: IntegrationResult = { tip: request.parent, merged: [], conflicts: [] };
    let { tip } = result;
    for (const entry of request.entries) {
      const conflicts: MergeConflict[] = [];
      const [base, ours, theirs] = await Promise.all([
        reader.root(git, entry.base),
        reader.root(git, tip),
        reader.root(git, entry.commit),
      ]);
      const root = await spliceWorkspaces(
        { git, reader, conflicts },
        { base, ours, theirs },
        entry.workspace,
      );
      if (conflicts.length > 0) {
        result.conflicts.push({ taskId: entry.taskId, files: await describeConflicts(reader, conflicts) });
        continue;
      }
      tip = await writeCommit(git, {
        tree: root.id,
        parents: [tip, entry.commit],
        at: request.at,
        message: messageOf(entry, request.run),
      });
      result.merged.push({ taskId: entry.taskId, commit: tip });
    }
    return { ...result, tip };
  });
}

function messageOf(entry: IntegrationEntry, run: RunId): string {
  const task = oneLine(entry.taskId, 200);
  const trailers = [
    `Switchyard-Task: ${task}`,
    `Switchyard-Attempt: ${entry.attempt}`,
    `Switchyard-Run: ${run}`,
  ];
  return `${oneLine(entry.title, 120) || task}\n\n${trailers.join('\n')}\n`;
}
