import type { SessionState, TodoItem } from './session-document.ts';
import { hasEnded, nextStep } from './decide-session.ts';
import { isActive } from './progress.ts';
import { phasePercent, sessionSteps, stepTable } from './session-phases.ts';

/** The todo list of a session: its steps, and under `run_reviewers` one item for each reviewer; several may be in progress. */
export function sessionTodos(state: SessionState): TodoItem[] {
  const next = nextStep(state);
  const hasBegun = state.coordination_state.completion_percentage >= phasePercent.information_gathering.begun;
  return sessionSteps.flatMap((step) => {
    const { content, activeForm } = stepTable[step];
    const isDone = state.session_metadata.completed_steps.includes(step);
    const isUnderWay = step === next && hasBegun && !hasEnded(state);
    const status = isDone ? 'completed' : isUnderWay ? 'in_progress' : 'pending';
    const item: TodoItem = { content, status, activeForm, priority: priorities[step] ?? 'high' };
    return step === 'run_reviewers' ? [item, ...state.reviewers.map(reviewerTodo)] : [item];
  });
}

/** Everything else that a session does is needed for its conclusion. */
const priorities: Partial<Record<(typeof sessionSteps)[number], TodoItem['priority']>> = {
  assess_status: 'medium',
  record_metrics: 'medium',
  archive_session: 'medium',
  clean_up: 'low',
};

function reviewerTodo({ reviewer_id, status, focus }: SessionState['reviewers'][number]): TodoItem {
  const dimension = reviewer_id.slice('task-reviewer_'.length);
  const about = focus.length === 0 ? '' : `: ${focus.join(', ')}`;
  return {
    content: `Review ${dimension}${about}`,
    status: status === 'completed' ? 'completed' : isActive(status) ? 'in_progress' : 'pending',
    activeForm: `Reviewing ${dimension}`,
    priority: 'high',
  };
}
