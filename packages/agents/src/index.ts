export type {
  CommandOptions,
  CommandResult,
  Executor,
  ExecutorContext,
  ExecutorOutcome,
  ExecutorTask,
} from './executor.ts';
export { commandExecutor } from './command-executor.ts';
export { executeTask } from './execute-task.ts';
export { failure, failureOf, tailOf, type FailureExtra } from './failure-of.ts';
