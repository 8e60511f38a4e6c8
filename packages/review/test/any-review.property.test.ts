import { specializations, type Specialization } from '@switchyard/protocol';
import {
  evolve,
  nextDeadline,
  owed,
  restoreReview,
  snapshotReview,
  type ReviewSnapshot,
  type ReviewState,
} from '@switchyard/review';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Review, finding, peer, request } from './build-review.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('offer' as const), names: fc.subarray(['r1', 'r2', 'r3']) }),
  fc.record({
    kind: fc.constant('verdict' as const),
    approved: fc.boolean(),
    more: fc.constantFrom({}, {}, { filesAnalyzed: 0 }, { issues: [finding({ severity: 'critical' })] }),
  }),
  fc.record({ kind: fc.constantFrom('completing' as const, 'failed' as const) }),
  fc.record({ kind: fc.constant('lost' as const), name: fc.constantFrom('r1', 'r2', 'r3') }),
  fc.record({ kind: fc.constant('tick' as const), later: fc.integer({ min: 0, max: 90_000 }) }),
  fc.record({ kind: fc.constant('again' as const) }),
);

interface Told {
  readonly asked: readonly Specialization[];
  readonly mode: 'required' | 'optional';
  readonly onTimeout: 'escalate' | 'approve';
  readonly quorum: number | undefined;
  readonly steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[];
}

function happen(review: Review, happening: Told['steps'][number]): void {
  const held = [...review.state.members.keys()].find((name) => review.holder(name) !== undefined);
  const holder = held === undefined ? undefined : review.holder(held);
  switch (happening.kind) {
    case 'offer':
      review.offer(...happening.names);
      return;
    case 'verdict':
      if (held !== undefined) review.verdict(held, happening.approved, happening.more);
      return;
    case 'completing':
      if (holder !== undefined) review.input({ ...holder, kind: 'completing' });
      return;
    case 'failed':
      if (holder !== undefined) review.input({ ...holder, kind: 'review-failed', reason: 'broken' });
      return;
    case 'lost':
      review.input({ kind: 'reviewer-lost', reviewer: peer(happening.name) });
      return;
    case 'tick':
      review.now += happening.later;
      review.input({ kind: 'tick' });
      return;
    case 'again':
      review.input({ kind: 'request', request: review.state.request });
      return;
  }
}

/** Settled exactly when every member has come to an end; alive until then. */
function check(review: Review): void {
  const open = [...review.state.members.values()].filter(({ phase }) =>
    ['requested', 'assigned', 'completing'].includes(phase.kind),
  );
  expect(review.state.outcome === undefined).toBe(open.length > 0);
  expect(nextDeadline(review.state) === undefined).toBe(open.length === 0);
  const names = owed(review.state).map(({ reviewId }) => reviewId);
  expect(new Set(names).size).toBe(names.length);
}

/** What the facts give when a snapshot is taken after the first `place` and one. */
function throughSnapshot({ facts }: Review, place: number): unknown {
  let state: ReviewState | undefined;
  for (const [index, fact] of structuredClone(facts).entries()) {
    state = evolve(state, fact);
    if (index === place)
      state = restoreReview(JSON.parse(JSON.stringify(snapshotReview(state))) as ReviewSnapshot);
  }
  const whole = [...(state?.members.values() ?? []), state?.outcome ?? null];
  return JSON.parse(JSON.stringify(whole));
}

describe('a review in any world', () => {
  it('comes to an outcome that its members bear out, and folds again to the same', () => {
    const told: fc.Arbitrary<Told> = fc.record({
      asked: fc.subarray([...specializations].slice(2, 4).concat('style'), { minLength: 1 }),
      mode: fc.constantFrom('required', 'optional'),
      onTimeout: fc.constantFrom('escalate', 'approve'),
      quorum: fc.constantFrom(undefined, 1, 2),
      steps: fc.array(step, { maxLength: 40 }),
    });
    fc.assert(
      fc.property(told, ({ asked, mode, onTimeout, quorum, steps }) => {
        const review = new Review(request({ specializations: asked, mode, onTimeout, quorum }));
        for (const happening of steps) {
          happen(review, happening);
          check(review);
        }
        for (let turns = 0; review.state.outcome === undefined && turns < 100; turns += 1) {
          review.now = nextDeadline(review.state) ?? review.now;
          review.input({ kind: 'tick' });
          check(review);
        }
        const phases = [...review.state.members.values()].map(({ phase }) => phase.kind);
        const { outcome } = review.state;
        const approvals = phases.filter((kind) => kind === 'approved').length;
        if (outcome?.kind === 'approved' && mode === 'required')
          expect(
            phases.every(
              (kind) => kind === 'approved' || (kind === 'timed-out' && onTimeout === 'approve'),
            ) ||
              (!phases.includes('rejected') && approvals >= Math.min(quorum ?? 3, phases.length)),
          ).toBe(true);
        if (outcome?.kind === 'rejected') expect(phases).toContain('rejected');
        let again: ReviewState | undefined;
        for (const fact of structuredClone(review.facts)) again = evolve(again, fact);
        expect(again).toEqual(review.state);
        const place = review.now % review.facts.length;
        expect(throughSnapshot(review, place)).toEqual(
          JSON.parse(JSON.stringify([...review.state.members.values(), review.state.outcome ?? null])),
        );
      }),
      { numRuns: 500 },
    );
  });
});
