import { isBlocking, type Specialization, type Verdict } from '@switchyard/protocol';
import type { ReviewRequest } from './state.ts';

/** Files that are text whenever they exist; what may be binary proves nothing. */
const textFile =
  /\.([cm]?[jt]sx?|json|ya?ml|toml|md|css|scss|html?|vue|svelte|py|rb|go|rs|java|kt|swift|cs?|cc|cpp|h|hpp|php|sh|sql)$/i;

/** Why a verdict cannot be taken, for programs. */
export type VerdictFlaw =
  | 'another-reviewer'
  | 'another-specialization'
  | 'another-commit'
  | 'another-attempt'
  | 'rejection-without-reason'
  | 'approval-of-critical'
  | 'nothing-analyzed'
  | 'finding-nowhere';

/** What is wrong with a verdict. `text`: goes on after "it", for people. */
export interface FlawedVerdict {
  readonly flaw: VerdictFlaw;
  readonly text: string;
}

/** What a verdict is judged by. `nowhere`: which of its findings speaks of a place that is not in the commit. */
export interface Judged {
  readonly specialization: Specialization;
  readonly reviewer: string;
  readonly verdict: Verdict;
  readonly nowhere?: string | undefined;
}

/** Why a verdict cannot be taken, or undefined: it contradicts itself or speaks of something else than was asked. */
export function whatIsWrong(request: ReviewRequest, judged: Judged): FlawedVerdict | undefined {
  const { specialization, reviewer, verdict, nowhere } = judged;
  const flawed = (flaw: VerdictFlaw, text: string): FlawedVerdict => ({ flaw, text });
  if (verdict.reviewerId !== reviewer)
    return flawed('another-reviewer', `speaks in the name of ${verdict.reviewerId}`);
  if (verdict.specialization !== specialization)
    return flawed('another-specialization', `is for ${verdict.specialization}, not ${specialization}`);
  if (verdict.commit !== request.commit)
    return flawed('another-commit', `is about ${verdict.commit}, not ${request.commit}`);
  if (
    verdict.run !== request.run ||
    verdict.taskId !== request.taskId ||
    verdict.attempt !== request.attempt ||
    verdict.fence !== request.fence
  )
    return flawed('another-attempt', 'is about another attempt');
  if (!verdict.approved && !verdict.issues.some(isBlocking))
    return flawed('rejection-without-reason', 'rejects without a critical or major finding');
  if (verdict.approved && verdict.issues.some((found) => found.severity === 'critical'))
    return flawed('approval-of-critical', 'approves in spite of a critical finding');
  if (verdict.filesAnalyzed === 0 && (request.reads !== undefined || hasText(request)))
    return flawed(
      'nothing-analyzed',
      request.reads === undefined ? 'has looked at no file of the change' : 'has looked at no file',
    );
  return nowhere === undefined ? undefined : flawed('finding-nowhere', nowhere);
}

function hasText(request: ReviewRequest): boolean {
  return request.files.some((file) => file.change !== 'deleted' && textFile.test(file.path));
}
