import { shownFinding } from './review-report.ts';
import { z } from 'zod';
import { handover, receipt } from './evidence.ts';
import { failure } from './failure.ts';
import { finding, specialization } from './finding.ts';
import { attemptUsage, modelUsage } from './model-usage.ts';
import { commitId, durationMs, fence, peerId, reviewId, runId, taskId, timestampMs } from './ids.ts';
import { gateInput, plan, strategies, taskKinds } from './plan-schema.ts';
import { escalationActions, datedPin, keptKinds, resumePoint } from './work-messages.ts';

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
  'rolled-back',
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
  /** Taken off the run branch again; absent: none. */
  rolledBack: z.number().int().optional(),
  running: z.number().int(),
  /** Waiting for a person. */
  waiting: z.number().int(),
});
export type Progress = z.infer<typeof progress>;

export const waitingFor = z.object({
  /** `question`: the attempt is still there, and goes on with the answer. */
  kind: z.enum(['gate', 'escalation', 'question']),
  text: z.string(),
  since: timestampMs,
  /** When the default is taken. */
  deadline: timestampMs,
  /** What happens at the deadline; `escalate`: the attempt ends, and its task waits for the answer. */
  default: z.enum(['escalate', ...escalationActions]),
  /** What a gate asks for. */
  inputs: z.array(gateInput).optional(),
});
export type WaitingFor = z.infer<typeof waitingFor>;

/** Work of an attempt that is kept beside the results, for a person or the next attempt to take up. */
export const keptWork = datedPin.extend({
  kind: z.enum(keptKinds),
  attempt: z.number().int(),
  worker: peerId,
  /** What it rests on. */
  base: commitId,
  /** The next attempt goes on from it. */
  isNext: z.boolean(),
});
export type KeptWork = z.infer<typeof keptWork>;

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
  /** Late results and work in progress of its attempts, oldest attempt first. */
  kept: z.array(keptWork).optional(),
  /** Where its case file is, within the state folder, once it was parked. */
  caseFile: z.string().max(1000).optional(),
});
export type TaskView = z.infer<typeof taskView>;

export const runSummary = z.object({
  run: runId,
  name: z.string(),
  phase: z.enum(runPhases),
  paused: z.boolean(),
  /** When a paused run goes on by itself; absent: when somebody resumes it. */
  pausedUntil: timestampMs.optional(),
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

/** What one attempt, or one reviewer of it, has used of one model. */
export const usageRow = modelUsage.extend({
  taskId,
  attempt: z.number().int(),
  fence,
  /** Who asked: by the plan an agent's name or the kind of executor; `review <specialization>` for reviewers. */
  agent: z.string(),
});
export type UsageRow = z.infer<typeof usageRow>;

export const runView = runSummary.extend({
  strategy: z.object({ asked: z.enum(strategies), chosen: z.enum(strategies), reason: z.string() }),
  tasks: z.array(taskView),
  /** Money for models that it may spend, in dollars. */
  budgetUsd: z.number().optional(),
  /** What its attempts have used of models; absent: nothing. */
  usage: z.array(usageRow).optional(),
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
  'task-asks',
  'task-answered',
  'gate-passed',
  'task-completed',
  'task-failed',
  'task-skipped',
  'task-cancelled',
  'task-sent-back',
  'task-rolled-back',
  'follow-ups',
  'rolling-back',
  'rollback-refused',
  'task-salvaged',
  'task-wip',
  'worker-unverifiable',
  'worker-alive',
  'task-violation',
  'tasks-added',
  'review-verdict',
  'verifying',
  'verified',
  'verify-failed',
  'paused',
  'resumed',
  'budget-raised',
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
  /** The end of what its executor printed, if it handed in a result; else `failure` has it. */
  outputTail: z.string().max(16_384).optional(),
  /** What it said to those that depend on its task. */
  handover: handover.optional(),
  failure: failure.optional(),
  /** Its late result, kept for whoever takes it up. */
  salvage: datedPin.optional(),
  /** What it had done when it ended without a result. */
  wip: datedPin.optional(),
  /** What it used of models. */
  usage: attemptUsage.optional(),
  /** What it went on from besides its base. */
  resumedFrom: resumePoint.optional(),
  /** Where its transcript is within the state folder; absent: it has none, or another machine keeps it. */
  transcript: z.string().max(2000).optional(),
  reviews: z.array(
    z.object({
      reviewId,
      reviewer: peerId.optional(),
      specialization,
      outcome: z.enum(['approved', 'rejected', 'timed-out', 'failed', 'running']),
      feedback: z.string(),
      findings: z.array(shownFinding),
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
      /** It was tried without the tasks, not with them. */
      isRollback: z.boolean().optional(),
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
