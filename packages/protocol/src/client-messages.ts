import { z } from 'zod';
import { commitId, peerId, runId, taskId, timestampMs } from './ids.ts';
import { logLine, role } from './peer-messages.ts';
import { gateValues, plan, planTask } from './plan-schema.ts';
import { runEvent, runReport, runSummary, runView } from './run-view.ts';
import { escalationActions, keptKinds } from './work-messages.ts';

/** Requests of `client` and their answers. */

export const runSubmit = z.object({
  plan,
  /** Where the plan came from, for the report; not read by the orchestrator. */
  file: z.string().max(4096).optional(),
});
export const runSubmitted = z.object({ run: runId });
export const runList = z.object({});
export const runListed = z.object({ runs: z.array(runSummary) });
export const runGet = z.object({ run: runId });
export const runGot = z.object({ view: runView });
/** Subscribes to one run, or to all; events after `after` follow as `run-event`. */
export const runWatch = z.object({ run: runId, after: z.number().int().min(0).default(0) });
export const runWatched = z.object({ view: runView, seq: z.number().int().min(0) });
export const runCancel = z.object({ run: runId, taskId: taskId.optional(), reason: z.string().max(1000) });
export const runPause = z.object({ run: runId, reason: z.string().max(1000).default('asked by a person') });
export const runResume = z.object({ run: runId });
/** The new budget of a run in all, in dollars; one that is paused for its old one goes on. */
export const budgetRaise = z.object({
  run: runId,
  usd: z.number().min(0).max(1_000_000_000),
  /** The budget of each task instead of the run's. */
  perTask: z.boolean().default(false),
});
export const runAddTasks = z.object({ run: runId, tasks: z.array(planTask).min(1).max(1000) });
/** Takes the merges of one task, or of a run that has ended, off the run branch. */
export const runRollback = z.object({
  run: runId,
  taskId: taskId.optional(),
  withDependants: z.boolean().default(false),
  reason: z.string().max(1000).default(''),
});
/** Answered when the branch has moved; a rollback that is refused is answered by E_ROLLBACK_REFUSED. */
export const runRolledBack = z.object({ commit: commitId, tasks: z.array(taskId) });
/** The `since` of the asking that is answered: one that asks anew since refuses it. Absent: whatever is asked now. */
const asked = timestampMs.optional();
export const gateAnswer = z.object({
  run: runId,
  taskId,
  approve: z.boolean(),
  note: z.string().max(4000).default(''),
  inputs: gateValues.default({}),
  asked,
});
export const escalationAnswer = z.object({
  run: runId,
  taskId,
  action: z.enum(escalationActions),
  note: z.string().max(4000).default(''),
  asked,
});
/** Lets the next attempt of a task go on from work that is kept. */
export const keptTakeUp = z.object({
  run: runId,
  taskId,
  attempt: z.number().int().min(1),
  kind: z.enum(keptKinds),
});
export const reportGet = z.object({ run: runId });
export const reportGot = z.object({
  report: runReport,
  /** Files written in the orchestrator's state folder; absent until the run has ended. */
  files: z.object({ markdown: z.string(), html: z.string(), json: z.string() }).optional(),
});
/** Merges the run branch onto the head of the user's checkout. */
export const runApply = z.object({ run: runId });
export const runApplied = z.object({
  commit: commitId,
  /** False: the head had moved since the run's base, so the merge was verified again. */
  fastForward: z.boolean(),
  files: z.array(z.string()),
});
export const done = z.object({});

/** Whether a peer is heard; `unverifiable` keeps what it holds until the grace has passed, `dead` has lost it. */
export const livenesses = ['alive', 'unverifiable', 'dead'] as const;

export const peerView = z.object({
  peer: peerId,
  role,
  state: z.enum(['idle', 'busy', 'draining', 'unverifiable', 'dead', 'starting']),
  host: z.string(),
  pid: z.number().int(),
  version: z.string(),
  labels: z.array(z.string()),
  slots: z.number().int(),
  busy: z.number().int(),
  /** Started by the orchestrator itself. */
  local: z.boolean(),
  /** When it was connected, or is being started since. */
  since: timestampMs,
  /** Absent while it is being started. */
  liveness: z.enum(livenesses).optional(),
  /** When that began. */
  livenessSince: timestampMs.optional(),
  /** Why it is unverifiable or dead, for people. */
  reason: z.string().optional(),
});
export type PeerView = z.infer<typeof peerView>;
export const fleetGet = z.object({});
export const fleetGot = z.object({
  hub: z.string(),
  url: z.string(),
  version: z.string(),
  peers: z.array(peerView),
});
export const workerTerminate = z.object({ peer: peerId });
/** Its token counts no more, and what it holds is lost. */
export const workerRevoke = z.object({ peer: peerId });
export const fleetShutdown = z.object({ reason: z.string().max(500) });
export const invite = z.object({ role: role.extract(['worker', 'reviewer']) });
export const invited = z.object({
  url: z.string(),
  fingerprint: z.string(),
  token: z.string(),
  expiresAt: timestampMs,
});

export const logFilter = z.object({
  taskId: z.string().max(200).optional(),
  run: z.string().max(200).optional(),
  worker: z.string().max(200).optional(),
  /** pino's names; lines of this level and above. */
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).optional(),
});
export type LogFilter = z.infer<typeof logFilter>;
export const logsGet = z.object({
  filter: logFilter,
  /** How many earlier lines to send first. */
  tail: z.number().int().min(0).max(10_000).default(100),
  follow: z.boolean(),
});
export const logsGot = z.object({ lines: z.array(logLine) });
export { runEvent };
