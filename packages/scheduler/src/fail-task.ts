import { limits, type Failure, type TaskId } from '@switchyard/protocol';
import { caseFileOf } from './case-name.ts';
import type { Decision } from './decision.ts';
import { stopRun } from './run-end.ts';
import type { Accepted, Wait } from './state.ts';

interface FailOptions {
  /** A person has decided already: `onFailure: escalate` does not ask again. */
  readonly answered?: boolean;
}

/** A task has no more tries: what its plan says about that happens. Dependants follow when the decision settles. */
export function failTask(
  decision: Decision,
  taskId: TaskId,
  failure: Failure,
  options: FailOptions = {},
): void {
  const { task } = decision.task(taskId);
  if (task.onFailure === 'escalate' && failure.class !== 'fatal' && options.answered !== true) {
    escalate(decision, taskId, { text: failure.message, failure });
    return;
  }
  decision.emit({ kind: 'task-failed', taskId, failure });
  const message = `${taskId}: ${failure.message}`;
  if (failure.class === 'fatal') stopRun(decision, 'failed', message);
  else if (task.onFailure === 'fail-run') stopRun(decision, 'failed', message);
}

interface Question {
  readonly text: string;
  /** What the task fails with if the answer is `fail` or none comes. */
  readonly failure?: Failure;
  /** What `accept` accepts. */
  readonly submitted?: Accepted;
  /** What was tried matters for the answer: a case file is written. */
  readonly isCase?: boolean;
}

/** Asks a person, with a deadline after which the task fails. */
export function escalate(decision: Decision, taskId: TaskId, question: Question): void {
  const { at } = decision;
  const wait: Wait = {
    kind: 'escalation',
    text: question.text.slice(0, 4000),
    since: at,
    deadline: at + limits.escalationWaitMs,
    default: 'fail',
    failure: question.failure,
    submitted: question.submitted,
    ...(question.isCase === true && { caseFile: caseFileOf(decision.state, taskId) }),
  };
  decision.emit({ kind: 'task-waiting', taskId, wait });
}
