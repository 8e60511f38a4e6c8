import type { RunEvent } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';

/** What the events beside it say, too; an attempt of a moment has as many of them as of the others. */
const routine: ReadonlySet<RunEvent['kind']> = new Set(['task-ready', 'task-running']);

/** Logs an event that the journal has. */
export function logEvent(logger: Logger, event: RunEvent): void {
  const level = routine.has(event.kind) ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const { run, taskId: task, attempt, worker, kind, text } = event;
  logger[level]({ run, task, attempt, worker, event: kind }, text);
}
