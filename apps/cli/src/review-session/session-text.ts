import { sessionTodos, stepTable, type SessionFact, type SessionState } from '@switchyard/review';
import { oneLine, padTo } from '../show-text.ts';
import type { Painter } from '../terminal.ts';

/** What a fact says to a person, if anything. */
export function sessionFactLine(fact: SessionFact, state: SessionState, paint: Painter): string | undefined {
  const at = paint.dim(`${String(state.coordination_state.completion_percentage).padStart(3)} %`);
  switch (fact.kind) {
    case 'phase-begun':
      return `${at}  ${fact.phase.replaceAll('_', ' ')}`;
    case 'step-completed':
      return fact.warnings.length === 0
        ? undefined
        : fact.warnings.map((warning) => `${at}  ${paint.yellow('warning')}: ${oneLine(warning)}`).join('\n');
    case 'reviewers-registered':
      return fact.reviewers
        .map(({ dimension, reason }) => `${at}  reviewer ${dimension}: ${oneLine(reason)}`)
        .join('\n');
    case 'reviewer-completed':
      return `${at}  ${paint.green('✓')} ${fact.reviewer}: ${counted(fact.findings, 'finding')}`;
    case 'reviewer-erred':
      return `${at}  ${paint.yellow('!')} ${fact.reviewer}: ${troubleText(fact)}`;
    case 'step-erred':
      return `${at}  ${paint.yellow('!')} ${stepTable[fact.step].content}: ${troubleText(fact)}`;
    case 'session-recovered':
      return fact.reviewers.length === 0 ? undefined : `${at}  begin anew: ${fact.reviewers.join(', ')}`;
    case 'session-failed':
      return state.error_tracking.last_error?.error_class === 'security_violation'
        ? paint.red(`SECURITY ALERT: ${oneLine(state.error_tracking.last_error.message)}`)
        : undefined;
    default:
      return undefined;
  }
}

function troubleText({ error, recovery }: SessionFact & { kind: 'reviewer-erred' | 'step-erred' }): string {
  const next = {
    retry: recovery.kind === 'retry' ? `tried again in ${recovery.delayMs / 1_000} s` : '',
    guide: `waits for you: ${error.instructions ?? 'mend it'}`,
    escalate: 'not tried again; a person has to look at it',
    halt: 'the session halts',
    terminate: 'the session ends',
  }[recovery.kind];
  return `${oneLine(error.message)}; ${next}`;
}

/** The one line that changes on a screen while reviewers work. */
export function sessionLiveLine(state: SessionState, columns: number): string {
  const { completion_percentage: percent } = state.coordination_state;
  const working = state.reviewers
    .filter(({ status }) => status !== 'completed' && status !== 'failed')
    .map(
      ({ reviewer_id, progress_percentage }) =>
        `${reviewer_id.slice('task-reviewer_'.length)} ${progress_percentage} %`,
    );
  return `${String(percent).padStart(3)} %  ${working.join(' · ')}`.slice(0, Math.max(20, columns - 1));
}

/** A session as `session status` shows it; `isStopped`: it has not ended, and no process works on it. */
export function sessionStatusLines(
  state: SessionState,
  paint: Painter,
  { isStopped }: { readonly isStopped: boolean },
): string[] {
  const { review_session: session, session_metadata: metadata, coordination_state: coordination } = state;
  const word = {
    completed: paint.green,
    failed: paint.red,
    in_progress: paint.bold,
    initializing: paint.bold,
    completing: paint.bold,
  }[session.overall_status];
  return [
    `task ${session.task_id}: ${oneLine(metadata.task_title ?? '')}`.trimEnd(),
    `${word(session.overall_status)} at ${coordination.completion_percentage} %, ${session.current_phase.replaceAll('_', ' ')}`,
    ...(isStopped ? [paint.yellow(stoppedText(session.task_id))] : []),
    ...(session.conclusion === null ? [] : [`conclusion: ${session.conclusion.replaceAll('_', ' ')}`]),
    ...(session.ended_because === null ? [] : session.ended_because.split('\n').map(oneLine)),
    ...(metadata.strategy_reason === null ? [] : [`reviewers: ${oneLine(metadata.strategy_reason)}`]),
    ...(metadata.scope === null ? [] : [`under review: ${oneLine(metadata.scope)}`]),
    ...state.reviewers.map(
      (one) =>
        `  ${padTo(one.reviewer_id, 30)}${padTo(one.status, 12)}${padTo(`${one.progress_percentage} %`, 7)}${one.findings === null ? oneLine(one.last_error?.message ?? one.current_phase) : counted(one.findings, 'finding')}`,
    ),
    ...state.error_tracking.escalations.map(
      ({ source, message, instructions }) =>
        `${paint.yellow('for you')}: ${source}: ${oneLine(message)}${instructions === null ? '' : `; ${instructions}`}`,
    ),
    ...sessionTodos(state).map(
      ({ content, status }) =>
        `  ${{ completed: '✓', in_progress: '▸', pending: '·' }[status]} ${oneLine(content)}`,
    ),
    ...(metadata.task_status === null ? [] : [oneLine(metadata.task_status)]),
  ];
}

/** That nobody carries a session on, and what to do. */
export function stoppedText(task: string): string {
  return `stopped: nobody works on it; \`switchyard session continue ${task}\` goes on, \`switchyard session abort ${task}\` ends it`;
}

/** How a session came out, in two or three lines. */
export function sessionEndLines(state: SessionState, report: string, paint: Painter): string[] {
  const { conclusion } = state.review_session;
  const word =
    conclusion === 'passed'
      ? paint.green('✓ passed')
      : paint.red(`✗ ${(conclusion ?? 'failed').replaceAll('_', ' ')}`);
  return [
    `${word}: task ${state.review_session.task_id}, quality score ${state.metrics?.quality_score ?? 0} of 100`,
    oneLine(state.session_metadata.task_status ?? ''),
    `report: ${report}`,
  ];
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
