import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, type Specialization } from '@switchyard/protocol';
import {
  decideSession,
  evolveSession,
  hasEnded,
  type ReviewerResult,
  type SessionFact,
  type SessionState,
} from '@switchyard/review';
import { acquireLock, lockHolder, systemClock, type Clock } from '@switchyard/runtime';
import { EngineReviewers, type EngineOptions } from './engine-reviewer.ts';
import { inputsDigest } from './session-documents.ts';
import { SessionDriver, type ReviewOrder } from './session-driver.ts';
import { insideProject, type SessionProject } from './session-project.ts';
import type { SessionModel } from './session-model.ts';
import { SessionSteps } from './session-steps.ts';
import { SessionStore } from './session-store.ts';

/** What is asked for when a session begins. */
export interface SessionRequest {
  readonly since?: string | undefined;
  readonly reviewers?: readonly Specialization[] | undefined;
  readonly template?: string | undefined;
  /** A model that reviews beside the static engines. */
  readonly model?: string | undefined;
  readonly acceptedFailureShare: number;
}

/** How a session is to be taken up. */
export type TakeUp =
  | { readonly kind: 'start'; readonly restart: boolean; readonly request: SessionRequest }
  | {
      readonly kind: 'continue';
      readonly template?: string | undefined;
      readonly model?: string | undefined;
    };

export interface SessionSurroundings {
  readonly project: SessionProject;
  readonly engines: Omit<EngineOptions, 'model'>;
  /** Opens a model by its name. */
  readonly openModel?: ((name: string) => SessionModel) | undefined;
  readonly signal: AbortSignal;
  /** For people. */
  say(this: void, text: string): void;
  told(this: void, fact: SessionFact, state: SessionState): void;
  /** A reviewer other than the static engines; for tests. */
  readonly review?: ((order: ReviewOrder) => Promise<ReviewerResult>) | undefined;
  readonly clock?: Clock | undefined;
}

/** How it came out. */
export interface SessionEnd {
  readonly kind: 'ended' | 'person';
  readonly state: SessionState;
}

/** The machine's clock, whose timers keep a process alive: between two tries nothing else does. */
const holdingClock: Clock = {
  ...systemClock,
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};

/**
 * Begins a session, or goes on with one, to its end. Throws AppError E_SESSION_STATE where another process has it, or it
 * cannot be gone on with; E_SESSION_UNKNOWN, E_SESSION_DAMAGED.
 */
export async function runSession(takeUp: TakeUp, around: SessionSurroundings): Promise<SessionEnd> {
  const { project, signal } = around;
  const clock = around.clock ?? holdingClock;
  const release = takeLock(project);
  try {
    const store = new SessionStore(project);
    const { state, recovery } = await begin(takeUp, store, { ...around, clock });
    const steps = stepsOf(store, state, { clock, takeUp });
    const engines = new EngineReviewers({ ...around.engines, model: modelOf(state, takeUp, around) });
    try {
      const driver = new SessionDriver(state, {
        clock,
        signal,
        keep: (next) => store.write(next),
        told: around.told,
        step: (step, at) => steps.take(step, at),
        saveResult: (result) => store.saveResult(result),
        review:
          around.review ?? (async (order) => engines.review(order, await steps.scope(), steps.subject())),
      });
      if (recovery !== undefined) driver.input({ kind: 'recover', reason: recovery });
      const kind = await driver.run();
      if (kind === 'ended') finish(store, driver.state);
      return { kind, state: driver.state };
    } finally {
      await engines.close();
      await steps.close();
    }
  } finally {
    release();
  }
}

/** The model that the session began with, unless whoever goes on with it names another. */
function modelOf(
  { session_metadata: { request } }: SessionState,
  takeUp: TakeUp,
  { openModel, review }: SessionSurroundings,
): SessionModel | undefined {
  const name = (takeUp.kind === 'continue' ? takeUp.model : undefined) ?? request.model;
  return name === null || review !== undefined ? undefined : openModel?.(name);
}

function stepsOf(
  store: SessionStore,
  state: SessionState,
  { clock, takeUp }: { readonly clock: Clock; readonly takeUp?: TakeUp },
): SessionSteps {
  const { since, reviewers, template: first, model } = state.session_metadata.request;
  const template = takeUp?.kind === 'continue' ? (takeUp.template ?? first) : first;
  return new SessionSteps(store, {
    since: since ?? undefined,
    reviewers: reviewers ?? undefined,
    template: template ?? undefined,
    model: model ?? undefined,
    now: () => clock.now(),
  });
}

/** Only one process at a time has a session; one that was killed has it no more. */
export function takeLock(project: SessionProject): () => void {
  const file = insideProject(project, project.lock);
  mkdirSync(dirname(file), { recursive: true });
  const lock = acquireLock(file);
  if (lock.kind === 'held') return () => lock.release();
  throw new AppError(
    'E_SESSION_STATE',
    `the session of task ${project.taskId} is under way in process ${lock.holder.pid}; \`switchyard session status ${project.taskId} -f\` follows it, \`switchyard session abort ${project.taskId}\` ends it`,
  );
}

/** The process that has a session at the moment. */
export function holderOf(project: SessionProject): number | undefined {
  const holder = lockHolder(insideProject(project, project.lock));
  return holder?.isAlive === true ? holder.pid : undefined;
}

interface Begun {
  readonly state: SessionState;
  /** Why it goes on; undefined: it begins. */
  readonly recovery?: string;
}

type BeginIn = SessionSurroundings & { readonly clock: Clock };

/** The session recovery check: continue, restart, or neither. */
async function begin(takeUp: TakeUp, store: SessionStore, around: BeginIn): Promise<Begun> {
  const { project, say } = around;
  const { taskId } = project;
  if (takeUp.kind === 'start' && takeUp.restart) {
    store.setAside(`${taskId}-restarted-${stamp(around.clock.now())}`);
    return { state: create(store, takeUp.request, { ...around, restarts: 'it was asked for' }) };
  }
  const found = store.read();
  for (const warning of found?.warnings ?? []) say(`warning: ${warning}`);
  if (found === undefined || hasEnded(found.state)) {
    if (takeUp.kind === 'continue') throw nothingToContinue(taskId, found?.state);
    if (found !== undefined) store.cleanUp();
    return { state: create(store, takeUp.request, around) };
  }
  const changed =
    askedOtherwise(takeUp, found.state) ?? (await whatChanged(found.state, store, around.clock));
  const { completion_percentage: percent } = found.state.coordination_state;
  if (changed === undefined) {
    say(`an unfinished session of task ${taskId} is there, at ${percent} %: it goes on`);
    const how = takeUp.kind === 'continue' ? 'continued by hand' : 'found unfinished at the start';
    return { state: found.state, recovery: how };
  }
  if (takeUp.kind === 'continue')
    throw new AppError(
      'E_SESSION_STATE',
      `${changed} since the session began; \`switchyard session start ${taskId} --restart\` begins anew`,
    );
  say(`an unfinished session of task ${taskId} is there, at ${percent} %, but ${changed}: it begins anew`);
  store.setAside(`${taskId}-${found.state.review_session.session_id}-unfinished`);
  return { state: create(store, takeUp.request, { ...around, restarts: changed }) };
}

function nothingToContinue(taskId: string, ended: SessionState | undefined): AppError {
  if (ended === undefined)
    return new AppError(
      'E_SESSION_UNKNOWN',
      `there is no session of task ${taskId}; \`switchyard session start ${taskId}\` begins one`,
    );
  const { overall_status } = ended.review_session;
  return new AppError(
    'E_SESSION_STATE',
    `the session of task ${taskId} has ended (${overall_status}); \`switchyard session start ${taskId}\` begins another`,
  );
}

/** Whether a start asks for something else than the session that is there was begun with; what is not asked stays. */
function askedOtherwise(takeUp: TakeUp, { session_metadata: { request } }: SessionState): string | undefined {
  if (takeUp.kind === 'continue') return undefined;
  const asked = takeUp.request;
  const isOther =
    (asked.since !== undefined && asked.since !== request.since) ||
    (asked.template !== undefined && asked.template !== request.template) ||
    (asked.model !== undefined && asked.model !== request.model) ||
    (asked.reviewers !== undefined && asked.reviewers.join() !== (request.reviewers ?? []).join());
  return isOther ? 'it was asked for otherwise' : undefined;
}

/** What has changed since a session read it; undefined: nothing. */
async function whatChanged(
  state: SessionState,
  store: SessionStore,
  clock: Clock,
): Promise<string | undefined> {
  const { inputs_digest, scope_digest } = state.session_metadata;
  if (inputs_digest !== null && inputsDigest(store.project) !== inputs_digest)
    return 'specification or plan have changed';
  if (scope_digest === null) return undefined;
  const steps = stepsOf(store, state, { clock });
  try {
    return (await steps.scope()).digest === scope_digest ? undefined : 'the files under review have changed';
  } finally {
    await steps.close();
  }
}

function create(
  store: SessionStore,
  request: SessionRequest,
  { project, clock, told, restarts }: BeginIn & { readonly restarts?: string },
): SessionState {
  const [fact] = decideSession(undefined, {
    kind: 'create',
    at: clock.now(),
    taskId: project.taskId,
    sessionId: randomUUID(),
    projectRoot: project.root,
    acceptedFailureShare: request.acceptedFailureShare,
    request: {
      since: request.since ?? null,
      reviewers: request.reviewers === undefined ? null : [...request.reviewers],
      template: request.template ?? null,
      model: request.model ?? null,
    },
    restarts,
  });
  if (fact === undefined) throw new Error('a session was not created');
  const state = evolveSession(undefined, fact);
  store.write(state);
  told(fact, state);
  return state;
}

/** Archives a session that has ended with its last word; where data is damaged, everything stays as it is. */
export function finish(store: SessionStore, state: SessionState): void {
  if (state.error_tracking.last_error?.error_class === 'data_corruption') return;
  const isCompleted = state.review_session.overall_status === 'completed';
  if (isCompleted) {
    const report = insideProject(store.project, store.project.report);
    store.archive(state, [], existsSync(report) ? readFileSync(report, 'utf8') : undefined);
    return;
  }
  const results = state.reviewers.flatMap((one) =>
    one.status === 'completed' ? [store.readResult(one)] : [],
  );
  store.archive(state, results, undefined);
  store.cleanUp();
}

function stamp(at: number): string {
  return new Date(at).toISOString().replace(/[:.]/g, '-');
}
