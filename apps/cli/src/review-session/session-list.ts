import { existsSync, readdirSync } from 'node:fs';
import { AppError, isAppError } from '@switchyard/protocol';
import type { SessionState } from '@switchyard/review';
import { foldWidth, momentText, oneLine, tableText } from '../show-text.ts';
import type { Terminal } from '../terminal.ts';
import { findSessionProject, insideProject } from './session-project.ts';
import { holderOf } from './session-run.ts';
import { SessionStore } from './session-store.ts';

/** One session of a project, or what keeps it from being read. */
export interface ListedSession {
  readonly task: string;
  readonly state?: SessionState;
  readonly problem?: string;
  /** A process has it at the moment. */
  readonly isUnderWay: boolean;
}

const ending = '-session-state.yaml';

/** The sessions of the project around a folder, newest first; none where there is no project. */
export function listSessions(from: string): ListedSession[] {
  const tasks = tasksOf(from);
  return tasks
    .map((task) => read(from, task))
    .toSorted((a, b) => begunAt(b).localeCompare(begunAt(a)) || a.task.localeCompare(b.task));
}

function tasksOf(from: string): string[] {
  let folder: string;
  try {
    const project = findSessionProject(from, '1');
    folder = insideProject(project, 'docs/review-session');
  } catch (error) {
    // No project, or none whose sessions would be read: there is no session either.
    if (error instanceof AppError && ['E_SESSION_SPEC', 'E_OUTSIDE_WORKSPACE'].includes(error.code))
      return [];
    throw error;
  }
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) =>
    name.endsWith(ending) ? [name.slice(0, -ending.length)] : [],
  );
}

function read(from: string, task: string): ListedSession {
  const project = findSessionProject(from, task);
  const isUnderWay = holderOf(project) !== undefined;
  try {
    const found = new SessionStore(project).read();
    return { task, isUnderWay, ...(found && { state: found.state }) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { task, isUnderWay, problem: error.message };
  }
}

function begunAt({ state }: ListedSession): string {
  return state?.review_session.created_at ?? '';
}

/** The sessions as a table; nothing where there are none. */
export function sessionTable(
  sessions: readonly ListedSession[],
  { paint, ...screen }: Pick<Terminal, 'paint' | 'isScreen' | 'columns'>,
): string[] {
  if (sessions.length === 0) return [];
  const [head = '', ...rows] = tableText(
    [['session', 'state', 'reviewers', 'started', ''], ...sessions.map(rowOf)],
    { width: foldWidth(screen) },
  );
  const stopped = sessions.filter(isStopped);
  const [one] = stopped;
  const hint = one === undefined ? [] : [`go on with it: switchyard session continue ${one.task}`];
  return [paint.gray(head), ...rows, ...hint.map((line) => paint.yellow(line))];
}

function isStopped({ state, isUnderWay }: ListedSession): boolean {
  const status = state?.review_session.overall_status;
  return status !== undefined && status !== 'completed' && status !== 'failed' && !isUnderWay;
}

function firstOf(task: string, problem: string): string {
  const [first = '', ...more] = problem.split('\n');
  const hint = more.length === 0 ? '' : ` (all of it: switchyard session status ${task})`;
  return `${oneLine(first)}${hint}`;
}

function rowOf(session: ListedSession): string[] {
  const { task, state, problem } = session;
  if (state === undefined) return [`task ${task}`, 'unreadable', '', '', firstOf(task, problem ?? '')];
  const { review_session: about, session_metadata: metadata, coordination_state: coordination } = state;
  const percent = `${coordination.completion_percentage} %`;
  const word = isStopped(session) ? `stopped at ${percent}` : `${about.overall_status} ${percent}`;
  return [
    `task ${task}`,
    word.replace('completed 100 %', 'completed'),
    `${coordination.completed_reviewers}/${coordination.total_reviewers}`,
    momentText(Date.parse(about.created_at)),
    oneLine([about.conclusion?.replaceAll('_', ' '), metadata.task_title].filter(Boolean).join(': ')),
  ];
}
