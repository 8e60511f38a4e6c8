import {
  commitId,
  encodeEnvelope,
  encodePayload,
  messageId,
  peerId,
  type MessageType,
  type PeerId,
  type ReviewId,
} from '@switchyard/protocol';
import type { ReviewFact, ReviewRequest } from '@switchyard/review';
import type { RunFact } from '@switchyard/scheduler';
import type { StoredFact } from '@switchyard/store';
import type { JournalDisk } from './journal-disk.ts';
import type { World } from './world.ts';

/** Well-formed messages that are not true, in the order they come. */
export interface Lie {
  readonly what: string;
  readonly frames: readonly Uint8Array[];
}

interface Liar {
  readonly world: World;
  readonly self: PeerId;
  readonly journal: JournalDisk;
}

const orchestrator = peerId.parse('orchestrator');
const nobodys = commitId.parse('e'.repeat(40));

/**
 * Reports of an attempt that is not the sender's, never was, or has been over for long: of any kind, and twice, as one
 * message and as another. Undefined: there is nothing to lie about.
 */
export function falseReport({ world, self, journal }: Liar): Lie | undefined {
  const leases = journal.durable.flatMap(({ stream, kind, data }) => {
    const fact = data as RunFact;
    return kind === 'task-leased' && fact.kind === 'task-leased' ? [{ run: stream, ...fact }] : [];
  });
  const found = leases[world.between(0, leases.length - 1)];
  if (found === undefined) return undefined;
  const { run, taskId, lease } = found;
  const fence = Math.max(1, lease.fence + world.between(-1, 1));
  const attempt = { run, taskId, attempt: lease.attempt, fence };
  const failure = { class: 'io', code: 'E_UNREACHABLE', message: 'a lie' };
  const reason = 'a lie';
  const times = { startedAt: 1, finishedAt: 2 };
  const evidence = {
    base: lease.base,
    filesChanged: [],
    receipts: [],
    sandbox: 'none',
    worker: lease.worker,
    ...times,
  };
  const done = { result: 'done', filesModified: [], testsPass: true, acceptanceCriteria: {}, evidence };
  const [type, more] = world.pick<[MessageType, object]>([
    ['task-completed', done],
    ['task-completed', { ...done, evidence: { ...evidence, commit: nobodys } }],
    ['task-failed', { error: 'a lie', failure }],
    ['task-lost', { reason, wip: nobodys }],
    ['task-wip', { commit: nobodys }],
    ['escalation', { reason, attemptedSolutions: [] }],
    ['task-accepted', {}],
  ]);
  return twice(world, self, { type, payload: { ...attempt, ...more } });
}

/** A verdict on a review that is not the sender's, or on another commit than was asked about. */
export function falseVerdict({ world, self, journal }: Liar): Lie | undefined {
  const reviews = assignedReviews(journal.durable);
  const found = reviews[world.between(0, reviews.length - 1)];
  if (found === undefined) return undefined;
  const { request, reviewId, reviewer, specialization } = found;
  const { run, taskId, attempt, fence } = request;
  const isHolder = reviewer === self;
  const wrong = isHolder ? { commit: nobodys } : {};
  const common = { reviewId, run, taskId, attempt, fence, commit: request.commit };
  const notes = { feedback: 'a lie', suggestions: [], strengths: [], filesAnalyzed: 1 };
  const times = { startedAt: 1, finishedAt: 2 };
  const spoken = { ...common, reviewerId: self, specialization, ...notes, ...times, ...wrong };
  const issue = { severity: 'major', category: 'style', file: 'x.ts', description: 'a lie', references: [] };
  const failure = { class: 'system', code: 'E_SANDBOX', message: 'a lie' };
  const [type, payload] = world.pick<[MessageType, object]>([
    ['review-approved', { ...spoken, approved: true, issues: [] }],
    ['review-approved', { ...spoken, commit: nobodys, approved: true, issues: [] }],
    ['review-approved', { ...spoken, reviewerId: reviewer, commit: nobodys, approved: true, issues: [] }],
    ['review-rejected', { ...spoken, approved: false, issues: [issue], requiredChanges: ['x'] }],
    ['review-rejected', { ...spoken, approved: false, issues: [], requiredChanges: ['x'] }],
    ['review-failed', { ...common, failure }],
    ['review-completing', { ...common, filesAnalyzed: 1 }],
  ]);
  return twice(world, self, { type, payload });
}

interface AssignedReview {
  readonly request: ReviewRequest;
  readonly reviewId: ReviewId;
  readonly reviewer: PeerId;
  readonly specialization: ReviewRequest['specializations'][number];
}

function assignedReviews(facts: readonly StoredFact[]): AssignedReview[] {
  const requests = new Map<string, ReviewRequest>();
  return facts.flatMap(({ kind, stream, data }) => {
    if (!kind.startsWith('review/')) return [];
    const { key, fact } = data as { key: string; fact: ReviewFact };
    const name = `${stream} ${key}`;
    if (fact.kind === 'review-requested') requests.set(name, fact.request);
    const request = requests.get(name);
    if (fact.kind !== 'review-assigned' || request === undefined) return [];
    const { reviewId, reviewer, specialization } = fact;
    return [{ request, reviewId, reviewer, specialization }];
  });
}

function twice(
  world: World,
  from: PeerId,
  { type, payload }: { readonly type: MessageType; readonly payload: object },
): Lie {
  const packed = encodePayload(payload);
  const frames = ['a', 'a', 'b'].map((name) =>
    encodeEnvelope({
      id: messageId.parse(`lie-${world.events}-${name}`),
      type,
      from,
      to: orchestrator,
      at: 1,
      payload: packed,
    }),
  );
  return { what: `${from} tells a lie: ${type}`, frames };
}
