import type { ResumePoint } from '@switchyard/protocol';
import type { TaskState } from './state.ts';

/**
 * What the next attempt of a task goes on from. With `resume: wip` that is what the attempts since the last result
 * have come to: the newest work in progress, or what an attempt that left none was given itself. A result that was
 * rejected, or work on what was taken back, begins anew. What a person chose comes before all that.
 */
export function resumePointOf({
  task,
  history,
  takeUp,
}: Pick<TaskState, 'task' | 'history' | 'takeUp'>): ResumePoint | undefined {
  if (takeUp !== undefined) return takeUp;
  if (task.resume !== 'wip' || task.kind !== 'implement') return undefined;
  for (const { outcome, wip, attempt, resumedFrom } of history.toReversed()) {
    if (outcome !== 'lost' && outcome !== 'failed') return undefined;
    if (wip !== undefined) return { kind: 'wip', commit: wip.commit, attempt };
    if (resumedFrom !== undefined) return newest(resumedFrom, history);
  }
  return undefined;
}

/** A worker that comes back may hand over more of an attempt than another one has gone on from meanwhile. */
function newest(from: ResumePoint, history: TaskState['history']): ResumePoint {
  const kept = history.find(({ attempt }) => attempt === from.attempt)?.[from.kind];
  return kept === undefined ? from : { ...from, commit: kept.commit };
}
