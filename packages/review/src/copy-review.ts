import type { Specialization } from '@switchyard/protocol';
import type { ReviewMember, ReviewState } from './state.ts';

/** A copy that can be evolved for itself; at most seven members, so that copying all is cheap. */
export function copyReview(state: ReviewState): ReviewState {
  const members = new Map<Specialization, ReviewMember>();
  for (const [specialization, member] of state.members)
    members.set(specialization, { ...member, avoided: [...member.avoided] });
  return { ...state, members };
}
