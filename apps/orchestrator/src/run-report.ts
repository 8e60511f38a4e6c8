import type { RunReport } from '@switchyard/protocol';
import { reviewSummaries } from '@switchyard/review';
import { reportAttempts, viewOf } from '@switchyard/scheduler';
import { reviewKey, type RunKeeper } from './run-keeper.ts';

/** The report model of a run as it stands. */
export function buildReport(keeper: RunKeeper, sandbox: 'bubblewrap' | 'none'): RunReport {
  const { state } = keeper;
  const { tasks, verification } = reportAttempts(state);
  const held = [...state.tasks.values()].flatMap((task) => task.history.map((record) => record.sandbox));
  return {
    view: viewOf(state),
    plan: state.plan,
    tasks: tasks.map((task) => ({
      ...task,
      attempts: task.attempts.map((attempt) => {
        const review = keeper.reviews.get(reviewKey(task.id, attempt.fence));
        return { ...attempt, reviews: review === undefined ? [] : reviewSummaries(review) };
      }),
    })),
    verification,
    sandbox: held.includes('none')
      ? 'none'
      : held.includes('bubblewrap')
        ? 'bubblewrap'
        : verification.length > 0
          ? sandbox
          : 'unused',
    events: keeper.events,
  };
}
