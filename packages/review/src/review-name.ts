import { reviewId, slugOf, type ReviewId, type Specialization } from '@switchyard/protocol';
import type { ReviewRequest } from './state.ts';

/** The id of a review: the same however often it is computed, readable, within 128 characters. */
export function reviewIdOf(request: ReviewRequest, specialization: Specialization, tries: number): ReviewId {
  const { run, taskId, fence } = request;
  // A run's id is unique by its end.
  const runPart = run.slice(-40).replace(/^[^A-Za-z0-9]+/, '');
  const slug = slugOf(taskId);
  // Slugs of different tasks can be equal, ids must not.
  const taskPart = slug === taskId ? slug : `${slug}.${digest(taskId)}`;
  return reviewId.parse(`${runPart}-${taskPart}-${fence}-${specialization}-${tries}`);
}

/** FNV-1a of 32 bits: tells apart, protects nothing. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1)
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  return (hash >>> 0).toString(36);
}
