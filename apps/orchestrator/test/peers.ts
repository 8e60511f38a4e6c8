import {
  peerId,
  type AppError,
  type AttemptKey,
  type CommitId,
  type Envelope,
  type Failure,
  type Finding,
  type Hello,
  type PayloadInput,
  type PeerId,
  type ReviewAssignment,
  type TaskAssignment,
} from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { HeldClock, MemoryOutbox, settle } from '@switchyard/testkit';
import { createLink, heartbeatsOn, type Link } from '@switchyard/transport';
import { helloOf, type Bench } from './bench.ts';
import { receiptOf } from './fakes.ts';

interface PeerWords {
  readonly hello: () => Omit<Hello, 'lane'>;
  /** The counter of its main loop; by default it moves. */
  readonly progress?: (() => number) | undefined;
  /** It has a thread, whose heartbeats go on while its main loop is held. */
  readonly hasThread?: boolean | undefined;
}

/** A peer on a real link that does only what a test says. */
abstract class BenchPeer {
  readonly peer: PeerId;
  readonly link: Link;
  readonly received: Envelope[] = [];
  readonly outbox = new MemoryOutbox();
  fenced: AttemptKey[] = [];
  /** Why the hub would have it no more. */
  readonly refused: AppError[] = [];
  /** The clock of its main loop. */
  readonly loop: HeldClock;
  protected readonly bench: Bench;
  private readonly cutOff: () => void;

  constructor(bench: Bench, name: string, words: PeerWords) {
    const { hello, progress, hasThread } = words;
    this.bench = bench;
    this.loop = new HeldClock(bench.clock);
    this.peer = peerId.parse(name);
    const { dial, cut } = bench.dialler();
    this.cutOff = cut;
    const { clock, random } = bench;
    const logger = silentLogger();
    this.link = createLink({
      self: this.peer,
      hello,
      dial,
      clock: this.loop,
      random,
      logger,
      outbox: this.outbox,
      ...(hasThread === true && { heartbeats: heartbeatsOn({ dial, clock, random, logger }) }),
      ...(progress === undefined ? {} : { progress }),
      handler: {
        welcome: (welcome) => {
          this.fenced = [...welcome.fenced];
        },
        message: (envelope) => {
          this.received.push(envelope);
          this.take(envelope);
        },
        fatal: (error) => this.refused.push(error),
      },
    });
    this.link.start();
  }

  /** The connection breaks; it comes back by itself. */
  cut(): void {
    this.cutOff();
  }

  /** The process is gone: nothing comes back. */
  async kill(): Promise<void> {
    this.cutOff();
    await this.link.close();
    await settle();
  }

  /** How many messages of a type came. */
  count(type: Envelope['type']): number {
    return this.received.filter((envelope) => envelope.type === type).length;
  }

  protected abstract take(envelope: Envelope): void;
}

/** A worker without a machine: it says what it is told to say. */
export class BenchWorker extends BenchPeer {
  readonly assignments: TaskAssignment[] = [];
  /** What it says it holds when it connects. */
  holding: AttemptKey[] = [];
  /** Carries out whatever it is given, at once. */
  diligent = false;

  static async connect(
    bench: Bench,
    name: string,
    over: Partial<Hello> = {},
    words: Omit<PeerWords, 'hello'> = {},
  ): Promise<BenchWorker> {
    const hello = (): Omit<Hello, 'lane'> => helloOf('worker', { ...over, holding: worker.holding });
    const worker: BenchWorker = new BenchWorker(bench, name, { hello, ...words });
    await worker.link.whenConnected();
    await settle();
    return worker;
  }

  /** The last assignment of a task. */
  assignment(task: string): TaskAssignment {
    const found = this.assignments.findLast(({ taskId }) => taskId === task);
    if (found === undefined) throw new Error(`${this.peer} was never given ${task}`);
    return found;
  }

  accept(assignment: TaskAssignment): void {
    this.holding.push(attemptOf(assignment));
    this.link.send('task-accepted', attemptOf(assignment));
  }

  progress(assignment: TaskAssignment, phase: 'preparing' | 'running' | 'checking'): void {
    this.link.send('task-progress', { ...attemptOf(assignment), phase });
  }

  /** Hands in a change of these files, by default one file in the workspace. */
  complete(
    assignment: TaskAssignment,
    options: {
      paths?: readonly string[];
      evidence?: Partial<PayloadInput<'task-completed'>['evidence']>;
    } = {},
  ): void {
    const paths = options.paths ?? [`${assignment.workspacePath}/index.ts`];
    const { base } = assignment;
    const commit = assignment.kind === 'implement' ? this.bench.repository.handIn(base, paths) : undefined;
    this.link.send('task-completed', {
      ...attemptOf(assignment),
      result: 'done',
      filesModified: [...paths],
      testsPass: true,
      acceptanceCriteria: {},
      evidence: {
        ...(commit === undefined ? {} : { commit }),
        base,
        filesChanged: [],
        receipts: assignment.acceptance.flatMap((item) =>
          item.kind === 'run' ? [receiptOf(commit ?? base, { command: item.run })] : [],
        ),
        sandbox: 'bubblewrap',
        worker: this.peer,
        startedAt: 1,
        finishedAt: 2,
        ...options.evidence,
      },
    });
  }

  fail(assignment: TaskAssignment, failure: Partial<Failure> = {}, wip?: CommitId): void {
    const whole: Failure = { class: 'logic', code: 'E_COMMAND_FAILED', message: 'it fails', ...failure };
    const payload = { ...attemptOf(assignment), error: whole.message, failure: whole };
    this.link.send('task-failed', wip === undefined ? payload : { ...payload, wip });
  }

  /** Pushes what it has done so far and tells of it. */
  wip(assignment: TaskAssignment, paths = [`${assignment.workspacePath}/half.ts`]): CommitId {
    const commit = this.bench.repository.handIn(assignment.base, paths);
    this.link.send('task-wip', { ...attemptOf(assignment), commit });
    return commit;
  }

  /** Gives the attempt back, as a worker does that was restarted or is being stopped. */
  giveBack(assignment: TaskAssignment, wip?: CommitId): void {
    const payload = { ...attemptOf(assignment), reason: 'the worker was restarted' };
    this.link.send('task-lost', wip === undefined ? payload : { ...payload, wip });
  }

  protected override take(envelope: Envelope): void {
    if (envelope.type !== 'task-assignment') return;
    this.assignments.push(envelope.payload);
    if (!this.diligent) return;
    this.accept(envelope.payload);
    this.complete(envelope.payload);
  }
}

/** A reviewer without engines: it says what it is told to say. */
export class BenchReviewer extends BenchPeer {
  readonly assignments: ReviewAssignment[] = [];
  reviewing: ReviewAssignment['reviewId'][] = [];
  /** Approves whatever it is given, at once. */
  kind = false;

  static async connect(bench: Bench, name: string, over: Partial<Hello> = {}): Promise<BenchReviewer> {
    const specializations: Hello['specializations'] = ['style', 'security'];
    const hello = (): Omit<Hello, 'lane'> =>
      helloOf('reviewer', { specializations, ...over, reviewing: reviewer.reviewing });
    const reviewer: BenchReviewer = new BenchReviewer(bench, name, { hello });
    await reviewer.link.whenConnected();
    await settle();
    return reviewer;
  }

  last(): ReviewAssignment {
    const found = this.assignments.at(-1);
    if (found === undefined) throw new Error(`${this.peer} was never given a review`);
    return found;
  }

  completing(assignment: ReviewAssignment): void {
    this.link.send('review-completing', { ...reviewOf(assignment), filesAnalyzed: 1 });
  }

  approve(assignment: ReviewAssignment, over: Partial<PayloadInput<'review-approved'>> = {}): void {
    this.link.send('review-approved', {
      ...this.verdict(assignment),
      feedback: 'fine',
      issues: [],
      approved: true,
      ...over,
    });
  }

  reject(assignment: ReviewAssignment, findings: readonly Finding[] = [major]): void {
    this.link.send('review-rejected', {
      ...this.verdict(assignment),
      feedback: 'not like this',
      issues: [...findings],
      approved: false,
      requiredChanges: ['another way'],
    });
  }

  protected override take(envelope: Envelope): void {
    if (envelope.type !== 'review-assignment') return;
    this.assignments.push(envelope.payload);
    if (!this.kind) return;
    this.completing(envelope.payload);
    this.approve(envelope.payload);
  }

  private verdict(assignment: ReviewAssignment) {
    return {
      ...reviewOf(assignment),
      reviewerId: this.peer,
      specialization: assignment.specialization,
      suggestions: [],
      strengths: [],
      filesAnalyzed: 1,
      startedAt: 1,
      finishedAt: 2,
    };
  }
}

/** A finding that blocks. */
export const major: Finding = {
  severity: 'major',
  category: 'style',
  file: 'a/index.ts',
  line: 3,
  description: 'a name says nothing',
  suggestion: 'say what it holds',
  references: [],
};

export function attemptOf({ run, taskId, attempt, fence }: AttemptKey): AttemptKey {
  return { run, taskId, attempt, fence };
}

function reviewOf({ reviewId, run, taskId, attempt, fence, commit }: ReviewAssignment) {
  return { reviewId, run, taskId, attempt, fence, commit };
}
