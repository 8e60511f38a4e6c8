import { AppError, type EscalationAction, type TaskId } from '@switchyard/protocol';
import { leaseOf, type Decision } from './decision.ts';
import { escalate, failTask } from './fail-task.ts';
import type { RunInput } from './input.ts';
import { revoke } from './run-end.ts';
import type { AttemptQuestion, Lease, TaskState } from './state.ts';

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };

/** What an agent is told where the plan says that nobody answers, and where an answer is empty. */
const decideYourself =
  'Nobody answers questions here. Decide by yourself: take the simplest way that the task allows, and name the decision in your result.';

/** What the attempt that is at work asks and nobody has answered. */
export function openQuestion(task: Readonly<TaskState>): AttemptQuestion | undefined {
  const record = task.history.at(-1);
  if (record === undefined || leaseOf(task)?.fence !== record.fence) return undefined;
  const last = record.questions?.at(-1);
  return last?.answer === undefined ? last : undefined;
}

/** An attempt asks and stays at work; one that is told again, on another connection, changes nothing. */
export function decideAsked(decision: Decision, input: InputOf<'asked'>, lease: Lease): void {
  const { taskId, fence, question, text, waitMs } = input;
  const task = decision.task(taskId);
  const known = task.history.at(-1)?.questions ?? [];
  if (known.some(({ id }) => id === question)) return;
  const { attempt, worker } = lease;
  const of = { taskId, fence, attempt, worker, question };
  decision.emit({ kind: 'attempt-asked', ...of, text, deadline: decision.at + waitMs });
  if (task.task.questions === 'decide')
    decision.emit({ kind: 'attempt-answered', ...of, answer: decideYourself, by: 'policy' });
}

/** The attempt ends with its question; an answer that crossed it on the way is the next attempt's. */
export function decideEscalated(decision: Decision, { taskId, fence, text }: InputOf<'escalated'>): void {
  const { round, continueFrom, history } = decision.task(taskId);
  const last = history.at(-1)?.questions?.at(-1);
  decision.emit({ kind: 'attempt-escalated', taskId, fence, text });
  if (last?.answer === undefined || last.text !== text) {
    escalate(decision, taskId, { text });
    return;
  }
  decision.emit({
    kind: 'task-retry-scheduled',
    taskId,
    notBefore: decision.at,
    reason: 'its question was answered when it had just ended',
    round,
    answer: last.answer.text,
    continueFrom,
  });
}

/** An answer to an earlier asking is none to this one. Throws E_RUN_STATE. */
export function checkAsked(decision: Decision, taskId: TaskId, asked: number | undefined): void {
  const task = decision.task(taskId);
  const now = task.phase.kind === 'waiting' ? task.phase.wait : openQuestion(task);
  if (asked === undefined || now === undefined || now.since === asked) return;
  // An attempt that ended with its question asks the same: what was on the way is its answer.
  const last = task.history.at(-1)?.questions?.at(-1);
  if (last?.answer === undefined && last?.since === asked && last.text === now.text) return;
  throw new AppError(
    'E_RUN_STATE',
    `task ${taskId} has asked again since, and this answers what it asked before; see what it asks now: switchyard run show ${decision.state.run}`,
  );
}

/** A person, or the orchestrating agent, answers an attempt that is at work; false: it asks nothing. Throws E_RUN_STATE. */
export function answerAtWork(
  decision: Decision,
  taskId: TaskId,
  { action, note }: { readonly action: EscalationAction; readonly note: string },
): boolean {
  const task = decision.task(taskId);
  const question = openQuestion(task);
  const lease = leaseOf(task);
  if (question === undefined || lease === undefined) return false;
  if (action === 'accept')
    throw new AppError(
      'E_RUN_STATE',
      `task ${taskId} is at work and has handed in nothing that could be accepted; answer retry with a note, skip or fail`,
    );
  if (action === 'retry') {
    const { attempt, worker, fence } = lease;
    const answer = note === '' ? decideYourself : note;
    const of = { taskId, fence, attempt, worker, question: question.id };
    decision.emit({ kind: 'attempt-answered', ...of, answer, by: 'person' });
    return true;
  }
  revoke(decision, taskId, note === '' ? `its question was answered with ${action}` : note);
  decision.emit({ kind: 'wait-answered', taskId, by: 'person', action, note });
  if (action === 'skip') {
    const reason = note === '' ? 'a person skipped it' : note;
    decision.emit({ kind: 'task-skipped', taskId, because: taskId, reason });
  } else {
    const message = `a person gave it up: ${question.text}`.slice(0, 4000);
    failTask(decision, taskId, { class: 'logic', code: 'E_CANCELLED', message }, { answered: true });
  }
  return true;
}
