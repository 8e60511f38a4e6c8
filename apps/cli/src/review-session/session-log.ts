import { findRepository } from '@switchyard/access';
import { isAppError, messageOf } from '@switchyard/protocol';
import type { SessionFact, SessionState } from '@switchyard/review';
import { openLog, type Log, type Logger } from '@switchyard/runtime';
import type { CommandContext, CommonOptions } from '../context.ts';
import { oneLine } from '../show-text.ts';

/** What a session writes for `switchyard logs`. */
export interface SessionLog {
  told(this: void, fact: SessionFact, state: SessionState): void;
  close(): Promise<void>;
}

const silent: SessionLog = { told: () => undefined, close: () => Promise.resolve() };

/**
 * Opens the log of the session of a task, beside those of the daemons of its repository. Outside a repository, or where
 * it cannot be written, there is none: a session needs neither.
 */
export async function openSessionLog(
  task: string,
  context: CommandContext,
  options: CommonOptions,
): Promise<SessionLog> {
  let log: Log;
  try {
    const { folder } = await findRepository(context, options);
    log = await openLog({ daemon: `session-${task}`, level: 'info', folder: folder.logs, stdout: false });
  } catch (error) {
    const isNone =
      isAppError(error) && ['E_NOT_A_REPOSITORY', 'E_NO_COMMITS', 'E_NO_GIT'].includes(error.code);
    if (!isNone)
      context.terminal.err(`warning: no log of the session is kept: ${oneLine(messageOf(error))}\n`);
    return silent;
  }
  return { told: (fact, state) => write(log.logger, fact, state), close: () => log.close() };
}

function write(logger: Logger, fact: SessionFact, state: SessionState): void {
  const { task_id: task, session_id: session } = state.review_session;
  const about = {
    run: `session-${task}`,
    task,
    session,
    percent: state.coordination_state.completion_percentage,
  };
  switch (fact.kind) {
    case 'reviewer-progressed':
      return;
    case 'phase-begun':
    case 'phase-completed':
      logger.info({ ...about, phase: fact.phase }, words(fact.kind));
      return;
    case 'step-completed':
      logger.info({ ...about, step: fact.outcome.step, warnings: fact.warnings }, words(fact.kind));
      return;
    case 'step-erred':
      logger.warn({ ...about, step: fact.step, ...errorFields(fact) }, words(fact.kind));
      return;
    case 'reviewer-launched':
    case 'reviewer-completing':
    case 'reviewer-acknowledged':
      logger.info({ ...about, worker: fact.reviewer }, words(fact.kind));
      return;
    case 'reviewer-completed':
      logger.info({ ...about, worker: fact.reviewer, findings: fact.findings }, words(fact.kind));
      return;
    case 'reviewer-erred':
      logger.warn({ ...about, worker: fact.reviewer, ...errorFields(fact) }, words(fact.kind));
      return;
    case 'reviewers-registered':
      logger.info(
        { ...about, reviewers: fact.reviewers.map(({ dimension }) => dimension) },
        words(fact.kind),
      );
      return;
    case 'session-failed':
      logger.error({ ...about, reason: fact.reason }, words(fact.kind));
      return;
    case 'session-created':
    case 'session-recovered':
    case 'session-completed':
    case 'reviewers-done':
      logger.info({ ...about, conclusion: state.review_session.conclusion }, words(fact.kind));
  }
}

function words(kind: SessionFact['kind']): string {
  return kind.replaceAll('-', ' ');
}

function errorFields({ error, recovery }: SessionFact & { kind: 'step-erred' | 'reviewer-erred' }): object {
  return { class: error.error_class, reason: error.message, recovery: recovery.kind };
}
