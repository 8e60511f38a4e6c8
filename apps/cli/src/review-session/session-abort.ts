import { AppError } from '@switchyard/protocol';
import { decideSession, evolveSession, hasEnded } from '@switchyard/review';
import { finish, holderOf, takeLock } from './session-run.ts';
import type { SessionProject } from './session-project.ts';
import { SessionStore } from './session-store.ts';

const waitMs = 10_000;
const lookMs = 50;

/**
 * Ends a session; the process that has it is asked to stop first. Answers where it is archived. Throws AppError
 * E_SESSION_UNKNOWN, E_SESSION_STATE.
 */
export async function abortSession(project: SessionProject): Promise<string> {
  await stopHolder(project);
  const release = takeLock(project);
  try {
    const store = new SessionStore(project);
    const found = store.read();
    if (found === undefined || hasEnded(found.state))
      throw new AppError(
        found === undefined ? 'E_SESSION_UNKNOWN' : 'E_SESSION_STATE',
        `there is no session of task ${project.taskId} to abort; \`switchyard session start ${project.taskId}\` begins one`,
      );
    let { state } = found;
    for (const fact of decideSession(state, { kind: 'abort', at: Date.now(), reason: 'it was aborted' }))
      state = evolveSession(state, fact);
    store.write(state);
    finish(store, state);
    return `${project.archives}/${project.taskId}-${state.review_session.session_id}`;
  } finally {
    release();
  }
}

/** The lock names a process by its number and its beginning, so nobody else is asked to stop. */
async function stopHolder(project: SessionProject): Promise<void> {
  const holder = holderOf(project);
  if (holder === undefined) return;
  process.kill(holder, 'SIGTERM');
  const deadline = Date.now() + waitMs;
  while (holderOf(project) === holder) {
    if (Date.now() > deadline)
      throw new AppError(
        'E_SESSION_STATE',
        `process ${holder} has the session and does not stop; end it first`,
      );
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
