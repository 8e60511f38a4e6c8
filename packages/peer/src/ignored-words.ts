import type { PayloadOf } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';

/** Logs what the orchestrator says of messages that changed nothing: a person finds here why a report had no effect. */
export function logIgnored(logger: Logger, { ignored = [] }: PayloadOf<'ack'>): void {
  for (const { id, type, run, taskId: task, attempt, fence, reason: why, text: reason } of ignored) {
    const fields = { run, task, attempt, fence, message: id, type, why, reason };
    // What was sent again because its acknowledgement was lost is no news.
    if (why === 'over') logger.info(fields, 'a report changed nothing');
    else logger.warn(fields, 'a report changed nothing');
  }
}
