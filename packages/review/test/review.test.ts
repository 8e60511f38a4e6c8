import { reviewAssignment, reviewId, runReport, taskId } from '@switchyard/protocol';
import { decide, mergeFindings, nextDeadline, owed, reviewSummaries } from '@switchyard/review';
import { describe, expect, it } from 'vitest';
import { Review, finding, peer, request } from './build-review.ts';

describe('who reviews', () => {
  it('gives each specialization to a reviewer that has it and a slot', () => {
    const review = new Review();
    expect(review.offer('r1')).toHaveLength(1);
    expect(review.offer('r2')).toHaveLength(1);
    expect(review.holder('security')?.reviewer).toBe('r1');
    expect(review.holder('style')?.reviewer).toBe('r2');
    const none = { reviewer: peer('r3'), specializations: ['testing'], freeSlots: 5 } as const;
    expect(new Review().input({ kind: 'offer', offers: [none] })).toEqual([]);
  });

  it('tells them with an assignment that is the same however often it is asked for', () => {
    const review = new Review();
    review.offer('r1', 'r2');
    const effects = owed(review.state);
    expect(effects).toEqual(owed(review.state));
    expect(effects.map(({ reviewId: name }) => name)).toEqual([
      'plan-abcdef-models-1-security-1',
      'plan-abcdef-models-1-style-1',
    ]);
    for (const { assignment } of effects) reviewAssignment.parse(assignment);
  });

  it('names reviews of tasks with like names differently, and long names within the limit', () => {
    const names = ['a b', 'a-b', 'a/b', 'ü'.repeat(200), 'long '.repeat(40)].map((name) => {
      const review = new Review(request({ taskId: taskId.parse(name.slice(0, 200)) }));
      review.offer('r1');
      return review.holder('security')?.reviewId ?? '';
    });
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(reviewId.parse(name)).toBe(name);
  });

  it('a lost reviewer is replaced, under another name', () => {
    const review = new Review(request({ specializations: ['style'] }));
    review.offer('r1');
    const first = review.holder('style')?.reviewId;
    review.input({ kind: 'reviewer-lost', reviewer: peer('r1') });
    expect(owed(review.state)).toEqual([]);
    review.offer('r2');
    expect(review.holder('style')?.reviewer).toBe('r2');
    expect(review.holder('style')?.reviewId).not.toBe(first);
  });

  it('a review that failed goes to somebody else first, and fails after three tries', () => {
    const review = new Review(request({ specializations: ['style'] }));
    for (const expected of ['r1', 'r2', 'r3']) {
      review.offer('r1', 'r2', 'r3');
      const held = review.holder('style');
      expect(held?.reviewer).toBe(expected);
      if (held !== undefined) review.input({ ...held, kind: 'review-failed', reason: 'engine broke' });
    }
    expect(review.state.outcome).toMatchObject({
      kind: 'failed',
      text: expect.stringContaining('engine broke'),
    });
  });

  it('an announced verdict is not asked for again', () => {
    const review = new Review(request({ specializations: ['style'] }));
    review.offer('r1');
    const held = review.holder('style');
    if (held !== undefined) review.input({ ...held, kind: 'completing' });
    expect(owed(review.state)).toEqual([]);
    review.verdict('style', true);
    expect(review.state.outcome?.kind).toBe('approved');
  });
});

describe('the outcome', () => {
  it('approves when all approve, and not before', () => {
    const review = new Review();
    review.offer('r1', 'r2');
    review.verdict('security', true);
    expect(review.state.outcome).toBeUndefined();
    review.verdict('style', true);
    expect(review.state.outcome).toMatchObject({ kind: 'approved', findings: [] });
    expect(review.state.outcome?.text).toBe('security approves, style approves: no findings');
  });

  it('one rejection rejects, when all have answered', () => {
    const review = new Review();
    review.offer('r1', 'r2');
    review.verdict('security', false);
    expect(review.state.outcome).toBeUndefined();
    review.verdict('style', true, { issues: [finding({ severity: 'minor', description: 'long line' })] });
    expect(review.state.outcome).toMatchObject({ kind: 'rejected' });
    expect(review.state.outcome?.findings.map(({ severity }) => severity)).toEqual(['major', 'minor']);
    expect(review.state.outcome?.text).toBe('security rejects, style approves: 1 major, 1 minor');
  });

  it('an optional review advises', () => {
    const review = new Review(request({ mode: 'optional', specializations: ['style'] }));
    review.offer('r1');
    review.verdict('style', false);
    expect(review.state.outcome).toMatchObject({ kind: 'approved', findings: [{ severity: 'major' }] });
  });

  it.each([
    ['escalate', 'timed-out'],
    ['approve', 'approved'],
  ] as const)('time over, %s: %s', (onTimeout, kind) => {
    const review = new Review(request({ onTimeout }));
    review.offer('r1', 'r2');
    review.verdict('style', true);
    review.now = nextDeadline(review.state) ?? 0;
    expect(review.now).toBe(61_000);
    review.input({ kind: 'tick' });
    expect(review.state.outcome?.kind).toBe(kind);
    expect(nextDeadline(review.state)).toBeUndefined();
  });

  it.each([
    [1, 'approved'],
    [2, 'timed-out'],
    [7, 'timed-out'],
  ])('with a quorum of %i, one of two without a verdict: %s', (quorum, kind) => {
    const review = new Review(request({ quorum }));
    review.offer('r1', 'r2');
    review.verdict('style', true);
    expect(review.state.outcome).toBeUndefined();
    review.now = nextDeadline(review.state) ?? 0;
    review.input({ kind: 'tick' });
    expect(review.state.outcome?.kind).toBe(kind);
    if (kind === 'approved')
      expect(review.state.outcome?.text).toBe(
        'security gave no verdict in time, style approves: no findings; warning: the plan lets a missing verdict pass (quorum 1)',
      );
  });

  it('no quorum outvotes a rejection', () => {
    const review = new Review(request({ quorum: 1 }));
    review.offer('r1', 'r2');
    review.verdict('style', true);
    review.verdict('security', false);
    expect(review.state.outcome?.kind).toBe('rejected');
  });

  it('a review that nobody takes up comes to an end, too', () => {
    const review = new Review();
    review.now = nextDeadline(review.state) ?? 0;
    review.input({ kind: 'tick' });
    expect(review.state.outcome?.kind).toBe('timed-out');
  });

  it('is final', () => {
    const review = new Review();
    review.input({ kind: 'cancel', reason: 'the run ended' });
    expect(review.state.outcome).toMatchObject({ kind: 'failed', text: 'cancelled: the run ended' });
    expect(review.offer('r1')).toEqual([]);
    expect(review.input({ kind: 'tick' })).toEqual([]);
    expect(owed(review.state)).toEqual([]);
  });
});

describe('a verdict that cannot be taken replaces its reviewer', () => {
  const other = 'd'.repeat(40);
  it.each([
    ['about another commit', true, { commit: other }],
    ['about another attempt', true, { attempt: 2 }],
    ['about another fence', true, { fence: 2 }],
    ['in another name', true, { reviewerId: 'r9' }],
    ['for another specialization', true, { specialization: 'style' }],
    ['rejecting for nothing that blocks', false, { issues: [finding({ severity: 'minor' })] }],
    ['approving in spite of a critical finding', true, { issues: [finding({ severity: 'critical' })] }],
    ['without a look at a file', true, { filesAnalyzed: 0 }],
  ])('%s', (_name, approved, more) => {
    const review = new Review(request({ specializations: ['security'] }));
    review.offer('r1');
    expect(review.verdict('security', approved, more)).toMatchObject([
      { kind: 'review-verdict-refused', reviewer: 'r1' },
    ]);
    review.offer('r1', 'r2');
    expect(review.holder('security')?.reviewer).toBe('r2');
  });

  it('but not where there was nothing to look at', () => {
    const files = [
      { path: 'src/a.ts', change: 'deleted' },
      { path: 'logo.png', change: 'added' },
    ] as const;
    const review = new Review(request({ specializations: ['security'], files }));
    review.offer('r1');
    review.verdict('security', true, { filesAnalyzed: 0 });
    expect(review.state.outcome?.kind).toBe('approved');
  });

  it('but again where files were to be looked at as they stand, though nothing has changed', () => {
    const review = new Review(request({ specializations: ['security'], files: [], reads: ['src'] }));
    review.offer('r1');
    expect(review.verdict('security', true, { filesAnalyzed: 0 })).toMatchObject([
      { kind: 'review-verdict-refused', reviewer: 'r1', flaw: 'nothing-analyzed' },
    ]);
  });

  it('a verdict of somebody who was not asked, or is no longer, changes nothing', () => {
    const review = new Review(request({ specializations: ['style'] }));
    review.offer('r1');
    const held = review.holder('style');
    if (held === undefined) throw new Error('nobody holds it');
    const other = new Review(request({ specializations: ['style'] }));
    other.offer('r1');
    const [fact] = other.verdict('style', true);
    if (fact?.kind !== 'review-verdict-given') throw new Error('no verdict');
    const { verdict } = fact;
    expect(review.input({ kind: 'verdict', reviewer: peer('r2'), verdict })).toEqual([]);
    review.input({ kind: 'reviewer-lost', reviewer: peer('r1') });
    expect(review.input({ kind: 'verdict', reviewer: peer('r1'), verdict })).toEqual([]);
  });

  it('nothing is decided about a review that was never requested', () => {
    expect(decide(undefined, { kind: 'tick', at: 1 })).toEqual([]);
  });
});

describe('findings of several reviewers', () => {
  it('say the same thing once, as its most severe', () => {
    const at = { file: 'a.ts', line: 3 };
    const merged = mergeFindings([
      finding({ ...at, severity: 'minor', description: 'A secret ' }),
      finding({ ...at, severity: 'critical', rule: 'x/secret' }),
      finding({ ...at, severity: 'major', rule: 'x/secret', description: 'in other words' }),
      finding({ ...at, line: 4 }),
      finding({ file: 'b.ts', severity: 'info', description: 'by the way' }),
    ]);
    expect(merged.map(({ severity, file, line }) => [severity, file, line])).toEqual([
      ['critical', 'a.ts', 3],
      ['major', 'a.ts', 4],
      ['info', 'b.ts', undefined],
    ]);
  });
});

describe('the rows of a report', () => {
  it('one for each specialization, whatever came of it', () => {
    const review = new Review(request({ specializations: ['security', 'style', 'performance'] }));
    review.offer('r1', 'r2');
    review.now += 500;
    review.verdict('security', false);
    const rows = reviewSummaries(review.state);
    expect(rows).toMatchObject([
      { specialization: 'security', outcome: 'rejected', reviewer: 'r1', durationMs: 500 },
      { specialization: 'style', outcome: 'running', reviewer: 'r2' },
      { specialization: 'performance', outcome: 'running' },
    ]);
    const { attempts } = runReport.shape.tasks.element.shape;
    for (const row of rows) attempts.element.shape.reviews.element.parse(row);
  });
});
