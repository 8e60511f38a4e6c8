import { z } from 'zod';
import { receipt } from './evidence.ts';
import { failure } from './failure.ts';
import { finding, specialization } from './finding.ts';
import { commitId, durationMs, fence, peerId, reviewId, runId, taskId, timestampMs } from './ids.ts';
import { plan, strategies, taskKinds } from './plan-schema.ts';
import { escalationActions } from './work-messages.ts';

/** What a client sees of runs: views and events, made from the facts of the journal. */

export const taskPhases = [
  'pending',
  'ready',
  'leased',
  'preparing',
  'running',
  'submitted',
  'reviewing',
  'integrating',
  'verifying',
  'waiting',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type TaskPhase = (typeof taskPhases)[number];
export const runPhases = ['planned', 'running', 'completed', 'failed', 'cancelled'] as const;
export type RunPhase = (typeof runPhases)[number];

export const progress = z.object({
  total: z.number().int(),
  completed: z.number().int(),
  failed: z.number().int(),
  skipped: z.number().int(),
  cancelled: z.number().int(),
  running: z.number().int(),
  /** Waiting for a person. */
  waiting: z.number().int(),
});
export type Progress = z.infer<typeof progress>;

export const waitingFor = z.object({
  kind: z.enum(['gate', 'escalation']),
  text: z.string(),
  since: timestampMs,
  /** When the default is taken. */
  deadline: timestampMs,
  /** What happens at the deadline. */
  default: z.enum(['fail', ...escalationActions]),
});
export type WaitingFor = z.infer<typeof waitingFor>;

export const taskView = z.object({
  id: taskId,
  kind: z.enum(taskKinds),
  phase: z.enum(taskPhases),
  dependsOn: z.array(taskId),
  workspace: z.array(z.string()),
  attempt: z.number().int().min(0),
  round: z.number().int().min(0),
  worker: peerId.optional(),
  since: timestampMs,
  /** Why it is where it is, for people. */
  reason: z.string().optional(),
  waiting: waitingFor.optional(),
});
export type TaskView = z.infer<typeof taskView>;

export const runSummary = z.object({
  run: runId,
  name: z.string(),
  phase: z.enum(runPhases),
  paused: z.boolean(),
  createdAt: timestampMs,
  startedAt: timestampMs.optional(),
  finishedAt: timestampMs.optional(),
  /** `switchyard/<run>`. */
  branch: z.string(),
  base: commitId,
  /** Where the run branch stands. */
  tip: commitId,
  progress,
  reason: z.string().optional(),
});
export type RunSummary = z.infer<typeof runSummary>;

export const runView = runSummary.extend({
  strategy: z.object({ asked: z.enum(strategies), chosen: z.enum(strategies), reason: z.string() }),
  tasks: z.array(taskView),
});
export type RunView = z.infer<typeof runView>;

export const runEventKinds = [
  'started',
  'task-ready',
  'task-assigned',
  'task-assign-failed',
  'task-running',
  'task-submitted',
  'task-reviewing',
  'task-rejected',
  'task-integrated',
  'task-retrying',
  'task-waiting',
  'task-completed',
  'task-failed',
  'task-skipped',
  'task-cancelled',
  'tasks-added',
  'review-verdict',
  'verifying',
  'verified',
  'verify-failed',
  'paused',
  'resumed',
  'completed',
  'failed',
  'cancelled',
  'error',
] as const;
export type RunEventKind = (typeof runEventKinds)[number];

export const runEvent = z.object({
  run: runId,
  /** Position in the run's history; grows; a watcher asks for what came after it. */
  seq: z.number().int().min(0),
  at: timestampMs,
  kind: z.enum(runEventKinds),
  taskId: taskId.optional(),
  worker: peerId.optional(),
  attempt: z.number().int().optional(),
  /** One line for people. */
  text: z.string(),
  findings: z.array(finding).optional(),
  progress,
});
export type RunEvent = z.infer<typeof runEvent>;

export const attemptReport = z.object({
  attempt: z.number().int(),
  fence,
  round: z.number().int(),
  worker: peerId,
  leasedAt: timestampMs,
  endedAt: timestampMs.optional(),
  outcome: z.enum([
    'running',
    'submitted',
    'accepted',
    'rejected',
    'failed',
    'lost',
    'cancelled',
    'conflict',
  ]),
  commit: commitId.optional(),
  receipts: z.array(receipt),
  failure: failure.optional(),
  reviews: z.array(
    z.object({
      reviewId,
      reviewer: peerId.optional(),
      specialization,
      outcome: z.enum(['approved', 'rejected', 'timed-out', 'failed', 'running']),
      feedback: z.string(),
      findings: z.array(finding),
      durationMs: durationMs.optional(),
    }),
  ),
});
export type AttemptReport = z.infer<typeof attemptReport>;

/** The one model behind every report format. */
export const runReport = z.object({
  view: runView,
  plan,
  tasks: z.array(
    z.object({
      id: taskId,
      attempts: z.array(attemptReport),
      filesChanged: z.array(z.string()),
      mergeCommit: commitId.optional(),
    }),
  ),
  verification: z.array(
    z.object({
      commit: commitId,
      tasks: z.array(taskId),
      passed: z.boolean(),
      at: timestampMs,
      receipts: z.array(receipt),
    }),
  ),
  /** How commands were held; `none` is said loudly. */
  sandbox: z.enum(['bubblewrap', 'none', 'unused']),
  events: z.array(runEvent),
});
export type RunReport = z.infer<typeof runReport>;
