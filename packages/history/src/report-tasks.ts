import type { RunReport, TaskId } from '@switchyard/protocol';
import { reviewSummaries } from '@switchyard/review';
import { reportAttempts, type ReportAttempts } from '@switchyard/scheduler';
import type { RunHistory } from './run-history.ts';

/** Names the review of one attempt within its run. */
export function reviewKey(taskId: TaskId, fence: number): string {
  return `${taskId}#${fence}`;
}

/** What a report says of the tasks of a run and of its verification, as far as its facts know: no files beside them. */
export function reportOfHistory({
  state,
  reviews,
}: Pick<RunHistory, 'state' | 'reviews'>): Omit<ReportAttempts, 'tasks'> & Pick<RunReport, 'tasks'> {
  const { tasks, ...rest } = reportAttempts(state);
  return {
    ...rest,
    tasks: tasks.map((task) => ({
      ...task,
      attempts: task.attempts.map((attempt) => {
        const review = reviews.get(reviewKey(task.id, attempt.fence));
        return { ...attempt, reviews: review === undefined ? [] : reviewSummaries(review) };
      }),
    })),
  };
}
