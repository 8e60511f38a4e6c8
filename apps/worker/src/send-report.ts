import type { AttemptKey } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { Link } from '@switchyard/transport';
import type { AttemptReport } from './attempt-report.ts';

/** Gives how an attempt ended to the outbox, and to the log. */
export function sendReport(
  link: Pick<Link, 'send'>,
  { fence }: AttemptKey,
  report: AttemptReport,
  logger: Logger,
): void {
  const extra = { fence };
  switch (report.type) {
    case 'task-completed':
      link.send('task-completed', report.payload, extra);
      logger.info(
        { commit: report.payload.evidence.commit, files: report.payload.filesModified.length },
        'attempt completed',
      );
      return;
    case 'task-failed':
      link.send('task-failed', report.payload, extra);
      logger.warn({ failure: report.payload.failure }, 'attempt failed');
      return;
    case 'task-lost':
      link.send('task-lost', report.payload, extra);
      logger.warn({ reason: report.payload.reason, wip: report.payload.wip }, 'attempt lost');
      return;
    case 'escalation':
      link.send('escalation', report.payload, extra);
      logger.warn({ reason: report.payload.reason }, 'attempt escalated');
      return;
  }
}
