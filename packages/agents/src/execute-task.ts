import type { Executor, ExecutorContext, ExecutorOutcome, ExecutorTask } from './executor.ts';
import { failure, failureOf } from './failure-of.ts';
import { AttemptEscalated } from './question.ts';

/**
 * Does the work of an attempt with the executor that its task names. Never rejects: trouble of the machine, a
 * missing executor and even a bug of an executor come out as failures with their class.
 */
export async function executeTask(
  executors: readonly Executor[],
  task: ExecutorTask,
  context: ExecutorContext,
): Promise<ExecutorOutcome> {
  const { kind } = task.assignment.executor;
  const executor = executors.find((candidate) => candidate.kind === kind);
  if (executor === undefined) {
    const known = executors.map((candidate) => candidate.kind).join(', ');
    const message = `this worker has no executor "${kind}" (it has: ${known || 'none'})`;
    return { kind: 'failed', failure: failure('E_EXECUTOR', message) };
  }
  try {
    return await executor.execute(task, context);
  } catch (thrown) {
    if (context.signal.aborted) {
      return {
        kind: 'failed',
        failure: failure('E_CANCELLED', 'the attempt was cancelled', { class: 'fatal' }),
      };
    }
    if (thrown instanceof AttemptEscalated) {
      const { reason, attemptedSolutions = [], needsClarification } = thrown.question;
      return {
        kind: 'escalated',
        reason: reason.slice(0, 4000),
        attemptedSolutions,
        ...(needsClarification !== undefined && { needsClarification }),
      };
    }
    return { kind: 'failed', failure: failureOf(thrown) };
  }
}
