import { commitId, fence, peerId, reviewApproved, reviewId, runId, taskId } from '@switchyard/protocol';
import type { ReviewFact } from '@switchyard/review';
import { ReviewChecker } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';

const commit = commitId.parse('c'.repeat(40));
const key = { run: runId.parse('demo-abcdef'), taskId: taskId.parse('a'), attempt: 1, fence: fence.parse(1) };
const reviewer = peerId.parse('r1');
const held = reviewId.parse('a-1-style-1');
const specialization = 'style';

type Undated = ReviewFact extends infer F ? (F extends { at: number } ? Omit<F, 'at'> : never) : never;

function begun(...facts: readonly Undated[]): ReviewChecker {
  const checker = new ReviewChecker();
  const request = {
    ...key,
    commit,
    base: commitId.parse('b'.repeat(40)),
    round: 1,
    files: [],
    description: 'write a',
    acceptanceCriteria: [],
    specializations: [specialization],
    reason: 'the plan names it',
    previousFindings: [],
    timeoutMs: 60_000,
    onTimeout: 'escalate',
    mode: 'required',
  } as const;
  for (const fact of [{ kind: 'review-requested', request } as Undated, ...facts]) fold(checker, fact);
  return checker;
}

function fold(checker: ReviewChecker, fact: Undated): void {
  checker.fold({ ...fact, at: 1 } as ReviewFact);
}

const assigned: Undated = { kind: 'review-assigned', specialization, reviewId: held, reviewer, tries: 1 };
const settled = (kind: 'approved' | 'rejected', text = 'style approves'): Undated => ({
  kind: 'review-settled',
  outcome: { kind, at: 1, findings: [], text },
});
const timedOut: Undated = { kind: 'member-timed-out', specialization };
function verdict(reviewerId = reviewer): Undated {
  const told = reviewApproved.parse({
    ...key,
    reviewId: held,
    commit,
    reviewerId,
    specialization,
    feedback: 'fine',
    issues: [],
    suggestions: [],
    strengths: [],
    filesAnalyzed: 1,
    startedAt: 1,
    finishedAt: 2,
    approved: true,
  });
  return { kind: 'review-verdict-given', specialization, verdict: told };
}

describe('the checker of a review', () => {
  it('lets what is right pass', () => {
    const checker = begun(assigned);
    checker.checkAlive();
    fold(checker, verdict());
    fold(checker, settled('approved'));
    checker.checkAlive();
  });

  const wrong: readonly [string, readonly Undated[], RegExp][] = [
    ['a fact after the end', [assigned, verdict(), settled('approved'), timedOut], /^\(1\) member-timed-out/],
    ['an end while somebody works', [assigned, settled('rejected')], /^\(2\) it is settled, and a member/],
    ['an approval that nobody gave', [timedOut, settled('approved')], /^\(3\) it is approved/],
    ['a rejection by nobody', [assigned, verdict(), settled('rejected')], /^\(3\) it is rejected by nobody/],
    ['the verdict of another', [assigned, verdict(peerId.parse('r2'))], /^\(4\) a verdict of r2 counts/],
    ['a verdict for what nobody holds', [verdict()], /^\(4\) a verdict of r1 counts/],
  ];
  it.each(wrong)('finds %s', (_name, facts, text) => {
    const last = facts.at(-1);
    const checker = begun(...facts.slice(0, -1));
    expect(() => last !== undefined && fold(checker, last)).toThrow(text);
  });

  it('finds a review that should have been settled', () => {
    expect(() => begun(timedOut).checkAlive()).toThrow(/^\(2\) every member has come to an end/);
  });
});
