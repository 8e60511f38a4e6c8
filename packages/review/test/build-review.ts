import {
  commitId,
  fence,
  peerId,
  reviewApproved,
  reviewRejected,
  runId,
  taskId,
  type Finding,
  type PeerId,
  type Specialization,
  type Verdict,
} from '@switchyard/protocol';
import {
  decide,
  type ReviewFact,
  type ReviewInput,
  type ReviewRequest,
  type ReviewState,
} from '@switchyard/review';
import { ReviewChecker } from '@switchyard/testkit';

export const peer = (text: string): PeerId => peerId.parse(text);
export const commit = commitId.parse('c'.repeat(40));

export function request(more: Partial<ReviewRequest> = {}): ReviewRequest {
  return {
    run: runId.parse('plan-abcdef'),
    taskId: taskId.parse('models'),
    attempt: 1,
    fence: fence.parse(1),
    commit,
    base: commitId.parse('b'.repeat(40)),
    round: 1,
    worker: peer('w1'),
    files: [{ path: 'src/a.ts', change: 'modified' }],
    description: 'create models',
    acceptanceCriteria: ['they exist'],
    specializations: ['security', 'style'],
    reason: 'the plan names them',
    previousFindings: [],
    timeoutMs: 60_000,
    onTimeout: 'escalate',
    mode: 'required',
    ...more,
  };
}

export function finding(more: Partial<Finding> = {}): Finding {
  return { severity: 'major', category: 'security', description: 'a secret', references: [], ...more };
}

type Undated = ReviewInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

/** One review, with its facts, and the numbered invariants of `decide` checked after every fact. */
export class Review {
  now = 1000;
  readonly facts: ReviewFact[] = [];
  private readonly checker = new ReviewChecker();

  constructor(asked: ReviewRequest = request()) {
    const [first] = decide(undefined, { kind: 'request', at: this.now, request: asked });
    if (first === undefined) throw new Error('nothing was requested');
    this.facts.push(first);
    this.checker.fold(first);
  }

  get state(): ReviewState {
    return this.checker.state;
  }

  input(undated: Undated): readonly ReviewFact[] {
    const facts = decide(this.state, { ...undated, at: this.now } as ReviewInput);
    for (const fact of facts) {
      this.checker.fold(fact);
      this.facts.push(fact);
    }
    this.checker.checkAlive();
    return facts;
  }

  offer(...names: readonly string[]): readonly ReviewFact[] {
    const offers = names.map((name) => ({
      reviewer: peer(name),
      specializations: ['security', 'style', 'performance'] as const,
      freeSlots: 1,
    }));
    return this.input({ kind: 'offer', offers });
  }

  /** Whoever has the review of a specialization. */
  holder(specialization: Specialization) {
    const phase = this.state.members.get(specialization)?.phase;
    return phase?.kind === 'assigned' || phase?.kind === 'completing' ? phase : undefined;
  }

  /** The verdict of whoever has the review, changed as given. */
  verdict(specialization: Specialization, approved: boolean, more: object = {}): readonly ReviewFact[] {
    const held = this.holder(specialization);
    if (held === undefined) return [];
    const { request: asked } = this.state;
    const fields = {
      reviewId: held.reviewId,
      run: asked.run,
      taskId: asked.taskId,
      attempt: asked.attempt,
      fence: asked.fence,
      commit: asked.commit,
      reviewerId: held.reviewer,
      specialization,
      feedback: approved ? 'fine' : 'not fine',
      issues: approved ? [] : [finding()],
      suggestions: [],
      strengths: [],
      filesAnalyzed: 1,
      startedAt: 1,
      finishedAt: 2,
      ...more,
    };
    const verdict: Verdict = approved
      ? reviewApproved.parse({ ...fields, approved: true })
      : reviewRejected.parse({ ...fields, approved: false, requiredChanges: ['mend it'] });
    return this.input({ kind: 'verdict', reviewer: held.reviewer, verdict });
  }
}
