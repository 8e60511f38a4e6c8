import { z } from 'zod';
import { changedFile, evidence } from './evidence.ts';
import { failure } from './failure.ts';
import { finding, specialization } from './finding.ts';
import { commitId, durationMs, fence, peerId, reviewId, runId, taskId, timestampMs } from './ids.ts';
import { acceptanceItem, executorSpec, plan, readsSpec, taskKinds } from './plan-schema.ts';

/** Payloads between orchestrator, workers and reviewers. Field names of the field's older systems are kept. */

const attemptRef = { run: runId, taskId, attempt: z.number().int().min(1), fence };

/** What names one attempt everywhere: messages, logs, refs. */
export const attemptKey = z.object(attemptRef);
export type AttemptKey = z.infer<typeof attemptKey>;

export const taskAssignment = z.object({
  ...attemptRef,
  instructions: z.string(),
  /** The first workspace; all of them are in `workspace`. */
  workspacePath: z.string(),
  acceptanceCriteria: z.array(z.string()),
  workerType: z.string().optional(),
  kind: z.enum(taskKinds),
  workspace: z.array(z.string()),
  reads: readsSpec,
  executor: executorSpec,
  acceptance: z.array(acceptanceItem),
  timeoutMs: durationMs,
  /** The commit the attempt's own commit will have as its only parent: the tip of the run at the lease. */
  base: commitId,
  /** A commit of an earlier attempt whose files the attempt goes on from (rejected rounds). */
  continueFrom: commitId.optional(),
  /** A commit whose tree holds the untracked files of the plan's `include`. */
  include: commitId.optional(),
  setup: plan.shape.setup,
  scratch: z.array(z.string()),
  /** 1-based; grows with each rejection. */
  round: z.number().int().min(1),
  /** The findings of the last round, or both sides of a conflict; empty in the first. */
  feedback: z.array(finding),
  /** Answer to the escalation of an earlier attempt. */
  answer: z.string().optional(),
});
export type TaskAssignment = z.infer<typeof taskAssignment>;

export const taskAccepted = z.object(attemptRef);

export const attemptPhases = ['preparing', 'running', 'checking'] as const;
export const taskProgress = z.object({
  ...attemptRef,
  phase: z.enum(attemptPhases),
  /** The last line of what the executor printed, for people. */
  message: z.string().max(500).optional(),
});

export const taskCompleted = z.object({
  ...attemptRef,
  /** One line for people. */
  result: z.string().max(4000),
  filesModified: z.array(z.string()),
  testsPass: z.boolean(),
  /** Criterion → met. Text criteria are met when the executor ended well and every command criterion holds. */
  acceptanceCriteria: z.record(z.string(), z.boolean()),
  evidence,
});
export type TaskCompleted = z.infer<typeof taskCompleted>;

export const taskFailed = z.object({
  ...attemptRef,
  /** One line for people. */
  error: z.string().max(4000),
  failure,
  evidence: evidence.partial().optional(),
});
export type TaskFailed = z.infer<typeof taskFailed>;

export const taskCancel = z.object({ ...attemptRef, reason: z.string().max(1000) });

export const escalation = z.object({
  ...attemptRef,
  reason: z.string().max(4000).optional(),
  error: z.string().max(4000).optional(),
  attemptedSolutions: z.array(z.string().max(4000)).max(50).default([]),
  needsClarification: z.string().max(4000).optional(),
});

export const escalationActions = ['retry', 'skip', 'fail', 'accept'] as const;
export type EscalationAction = (typeof escalationActions)[number];

export const reviewAssignment = z.object({
  ...attemptRef,
  reviewId,
  workerId: peerId.optional(),
  filesChanged: z.array(changedFile),
  description: z.string(),
  acceptanceCriteria: z.array(z.string()),
  specialization,
  previousReviewFeedback: z.array(finding),
  commit: commitId,
  base: commitId,
  round: z.number().int().min(1),
  timeoutMs: durationMs,
});
export type ReviewAssignment = z.infer<typeof reviewAssignment>;

const reviewRef = { reviewId, run: runId, taskId, attempt: attemptRef.attempt, fence, commit: commitId };

export const reviewCompleting = z.object({ ...reviewRef, filesAnalyzed: z.number().int().min(0) });
export const reviewAcknowledged = z.object({ reviewId });
const verdictFields = {
  ...reviewRef,
  reviewerId: peerId,
  specialization,
  feedback: z.string().max(8000),
  /** The findings; `issues` is the name of the field's older systems. */
  issues: z.array(finding).max(3000),
  suggestions: z.array(z.string().max(4000)).max(100),
  strengths: z.array(z.string().max(4000)).max(100),
  filesAnalyzed: z.number().int().min(0),
  startedAt: timestampMs,
  finishedAt: timestampMs,
};
export const reviewApproved = z.object({ ...verdictFields, approved: z.literal(true) });
export const reviewRejected = z.object({
  ...verdictFields,
  approved: z.literal(false),
  requiredChanges: z.array(z.string().max(4000)).min(1).max(3000),
});
export const reviewFailed = z.object({ ...reviewRef, failure });
/** A reviewer's whole answer. */
export const verdict = z.discriminatedUnion('approved', [reviewApproved, reviewRejected]);
export type Verdict = z.infer<typeof verdict>;
