import { isBlocking, type Specialization, type Verdict } from '@switchyard/protocol';
import type { ReviewRequest } from './state.ts';

/** Files that are text whenever they exist; what may be binary proves nothing. */
const textFile =
  /\.([cm]?[jt]sx?|json|ya?ml|toml|md|css|scss|html?|vue|svelte|py|rb|go|rs|java|kt|swift|cs?|cc|cpp|h|hpp|php|sh|sql)$/i;

/** Why a verdict cannot be taken, or undefined: it contradicts itself or speaks of something else than was asked. */
export function whatIsWrong(
  request: ReviewRequest,
  asked: { readonly specialization: Specialization; readonly reviewer: string },
  verdict: Verdict,
): string | undefined {
  if (verdict.reviewerId !== asked.reviewer) return `it speaks in the name of ${verdict.reviewerId}`;
  if (verdict.specialization !== asked.specialization)
    return `it is for ${verdict.specialization}, not ${asked.specialization}`;
  if (verdict.commit !== request.commit) return `it is about ${verdict.commit}, not ${request.commit}`;
  if (
    verdict.run !== request.run ||
    verdict.taskId !== request.taskId ||
    verdict.attempt !== request.attempt ||
    verdict.fence !== request.fence
  )
    return 'it is about another attempt';
  if (!verdict.approved && !verdict.issues.some(isBlocking))
    return 'it rejects without a critical or major finding';
  if (verdict.approved && verdict.issues.some((found) => found.severity === 'critical'))
    return 'it approves in spite of a critical finding';
  if (verdict.filesAnalyzed === 0 && hasText(request)) return 'it has looked at no file of the change';
  return undefined;
}

function hasText(request: ReviewRequest): boolean {
  return request.files.some((file) => file.change !== 'deleted' && textFile.test(file.path));
}
