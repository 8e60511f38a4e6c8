import {
  reviewApproved,
  reviewRejected,
  type CommitId,
  type Evidence,
  type ModelUsage,
  type PeerId,
  type Receipt,
  type ReviewId,
  type Specialization,
  type TaskId,
  type Verdict,
} from '@switchyard/protocol';
import type { ReviewRequest } from '@switchyard/review';

interface EvidenceWords {
  readonly taskId: TaskId;
  readonly worker: PeerId;
  readonly base: CommitId;
  readonly commit: CommitId;
  readonly at: number;
}

/** What a worker hands in: one changed file, one receipt. */
export function evidenceOf({ taskId, worker, base, commit, at }: EvidenceWords): Evidence {
  return {
    commit,
    base,
    filesChanged: [{ path: `${taskId}/index.ts`, change: 'modified' }],
    receipts: [receiptOf(commit, 0)],
    sandbox: 'bubblewrap',
    worker,
    startedAt: at - 100,
    finishedAt: at,
    outputTail: 'done',
  };
}

/** The receipt of one command. */
export function receiptOf(commit: CommitId, exitCode: number): Receipt {
  return {
    criterion: 'true',
    command: 'true',
    commit,
    exitCode,
    ended: 'exited',
    durationMs: 10,
    startedAt: 1,
    outputTail: exitCode === 0 ? '' : 'the last words of a failing test',
    truncated: false,
  };
}

interface VerdictWords {
  readonly specialization: Specialization;
  readonly reviewId: ReviewId;
  readonly reviewer: PeerId;
  readonly at: number;
}

/** The verdict of whoever has a review; a rejection has one major finding. */
export function verdictOf(request: ReviewRequest, of: VerdictWords, approved: boolean): Verdict {
  const { specialization, reviewId, reviewer, at } = of;
  const issue = {
    severity: 'major',
    category: specialization,
    file: `${request.taskId}/index.ts`,
    line: 1 + (at % 90),
    description: 'it does not hold',
    references: [],
  };
  const fields = {
    reviewId,
    run: request.run,
    taskId: request.taskId,
    attempt: request.attempt,
    fence: request.fence,
    commit: request.commit,
    reviewerId: reviewer,
    specialization,
    feedback: approved ? 'fine' : 'not fine',
    issues: approved ? [] : [issue],
    suggestions: [],
    strengths: [],
    filesAnalyzed: 1,
    startedAt: at - 50,
    finishedAt: at,
  };
  return approved
    ? reviewApproved.parse({ ...fields, approved: true })
    : reviewRejected.parse({ ...fields, approved: false, requiredChanges: ['mend it'] });
}

/** What an attempt used of a model. */
export function usageOf(fence: number): ModelUsage {
  const tokens = { inputTokens: 900 * fence, cachedTokens: 90, outputTokens: 50 };
  return { provider: 'anthropic', model: 'made-up', requests: fence, ...tokens, microUsd: 1_000 * fence };
}
