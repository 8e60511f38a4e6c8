import { z } from 'zod';
import { changedFile, evidence } from './evidence.ts';
import { upstreamTask } from './handover.ts';
import { failure } from './failure.ts';
import { finding, specialization } from './finding.ts';
import { attemptUsage } from './model-usage.ts';
import { commitId, durationMs, fence, peerId, reviewId, runId, taskId, timestampMs } from './ids.ts';
import {
  acceptanceItem,
  draftSpec,
  executorSpec,
  gateValues,
  plan,
  readsSpec,
  taskKinds,
} from './plan-schema.ts';

/** Payloads between orchestrator, workers and reviewers. Field names of the field's older systems are kept. */

const attemptRef = { run: runId, taskId, attempt: z.number().int().min(1), fence };

/** What names one attempt everywhere: messages, logs, refs. */
export const attemptKey = z.object(attemptRef);
export type AttemptKey = z.infer<typeof attemptKey>;

/** A commit of an attempt that is kept beside results: nothing is built on it until somebody takes it up. */
export const pinnedCommit = z.object({
  commit: commitId,
  /** Where the orchestrator's private repository pins it. */
  ref: z.string().min(1).max(1000),
});
export type PinnedCommit = z.infer<typeof pinnedCommit>;

/** The two kinds of it: handed in after its attempt was taken from its worker, and what an attempt had done so far. */
export const keptKinds = ['salvage', 'wip'] as const;
export type KeptKind = (typeof keptKinds)[number];

/** The same with when it was kept. */
export const datedPin = pinnedCommit.extend({ at: timestampMs });
export type DatedPin = z.infer<typeof datedPin>;

/** What an attempt goes on from besides its base: the workspace of an earlier one. */
export const resumePoint = z.object({
  kind: z.enum(keptKinds),
  commit: commitId,
  /** Whose it is. */
  attempt: attemptRef.attempt,
});
export type ResumePoint = z.infer<typeof resumePoint>;

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
  /** Whose workspace, laid over the base's as it stands, the attempt goes on from. */
  resumeFrom: resumePoint.optional(),
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
  /** What was answered at the gates before it. */
  inputs: gateValues.default({}),
  /** What it depends on, as far back as the nearest work. */
  upstream: z.array(upstreamTask).default([]),
  /** Names of the MCP servers that its agent gets, of the worker's catalogue. */
  mcpServers: plan.shape.tasks.element.shape.mcpServers.default([]),
  /** It is to hand in a plan. */
  draft: draftSpec.optional(),
});
export type TaskAssignment = z.infer<typeof taskAssignment>;

export const taskAccepted = z.object(attemptRef);

/** A path of an attempt's tree that is not its to change, or what is wrong with it. */
export const attemptViolation = z.object({ kind: z.string().max(40), path: z.string().max(1000) });
export type AttemptViolation = z.infer<typeof attemptViolation>;

export const attemptPhases = ['preparing', 'running', 'checking'] as const;
export const taskProgress = z.object({
  ...attemptRef,
  phase: z.enum(attemptPhases),
  /** The last line of what the executor printed, for people. */
  message: z.string().max(500).optional(),
  /** What the audit found since the last one, while the attempt works; its end proves it, and fails the attempt. */
  violations: z.array(attemptViolation).max(20).optional(),
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
  /** Everything that it has used of models. */
  usage: attemptUsage.optional(),
});
export type TaskCompleted = z.infer<typeof taskCompleted>;

export const taskFailed = z.object({
  ...attemptRef,
  /** One line for people. */
  error: z.string().max(4000),
  failure,
  evidence: evidence.partial().optional(),
  /** What it had done, pushed: kept, whatever the plan says of the next attempt. */
  wip: commitId.optional(),
  /** Everything that it has used of models. */
  usage: attemptUsage.optional(),
});
export type TaskFailed = z.infer<typeof taskFailed>;

export const taskCancel = z.object({ ...attemptRef, reason: z.string().max(1000) });

/** What an attempt has done so far, pushed; a later one takes its place. */
export const taskWip = z.object({ ...attemptRef, commit: commitId });

/** The attempt ended without a result and not by its own doing: its worker was stopped or restarted. */
export const taskLost = z.object({
  ...attemptRef,
  /** For people. */
  reason: z.string().max(1000),
  /** What it had done, pushed. */
  wip: commitId.optional(),
  /** Everything that it has used of models. */
  usage: attemptUsage.optional(),
});

/** Tells a worker that its late result changed nothing, and what became of it. */
export const taskFenced = z.object({
  ...attemptRef,
  /** For people. */
  reason: z.string().max(4000),
  /** Absent: there was nothing to keep, or nothing that may be kept. */
  salvage: pinnedCommit.optional(),
});

export const escalation = z.object({
  ...attemptRef,
  reason: z.string().max(4000).optional(),
  error: z.string().max(4000).optional(),
  attemptedSolutions: z.array(z.string().max(4000)).max(50).default([]),
  needsClarification: z.string().max(4000).optional(),
  /** What it had done, pushed. */
  wip: commitId.optional(),
  /** Everything that it has used of models. */
  usage: attemptUsage.optional(),
});

/** An escalation as people read it; the text of a question has the same form, so that one can become the other. */
export function escalationText(
  asked: Partial<
    Pick<z.input<typeof escalation>, 'reason' | 'error' | 'attemptedSolutions' | 'needsClarification'>
  >,
): string {
  const { reason, error, attemptedSolutions = [], needsClarification } = asked;
  const tried = attemptedSolutions.length === 0 ? undefined : `tried: ${attemptedSolutions.join('; ')}`;
  const parts = [reason, error, tried, needsClarification].filter((part) => part !== undefined);
  return parts.join(' — ') || 'asks for help';
}

/** Names one question of an attempt; told again on every connection until it is answered. */
const questionId = z.string().min(8).max(64);

/** An attempt asks, and goes on working, or waiting, until it is answered. */
export const taskQuestion = z.object({
  ...attemptRef,
  question: questionId,
  text: z.string().min(1).max(4000),
  /** How long it waits yet; then it ends, and the question is an escalation. */
  waitMs: durationMs,
});

/** What was answered to a question of an attempt that still runs. */
export const taskAnswer = z.object({ ...attemptRef, question: questionId, answer: z.string().max(4000) });

/** An agent in orchestrator mode asks for a task more in its run. */
export const taskSpawn = z.object({
  ...attemptRef,
  /** As an agent writes it. */
  name: z.string().min(1).max(200),
  workspacePath: z.string().min(1).max(4096),
  systemPrompt: z.string().min(1).max(64_000),
  mcpServers: z.array(z.string().max(100)).max(20),
});

/** What became of it; `workerId` is empty where nothing was spawned. */
export const taskSpawned = z.object({
  workerId: z.string().max(500),
  status: z.enum(['spawned', 'error']),
  workspace: z.string().max(4096),
  error: z.string().max(4000).optional(),
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
  /** Files and folders to review as they stand, instead of what has changed since the base; `.` is all of the commit. */
  reads: z.array(z.string().min(1).max(4096)).max(100).optional(),
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
