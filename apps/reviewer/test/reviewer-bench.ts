import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineReadPaths, sandboxedScan, staticEngines, type Engine } from '@switchyard/analyzers';
import type { Sandbox } from '@switchyard/guard';
import {
  peerId,
  reviewAssignment,
  specializations,
  type CommitId,
  type Envelope,
  type MessageType,
  type ReviewAssignment,
} from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox, type Outbox } from '@switchyard/store';
import { createHub, createLink, memoryPair, type Hub } from '@switchyard/transport';
import { ReviewerDaemon } from '../src/daemon.ts';
import { onThisMachine } from '../src/review-room.ts';
import type { ModelReviewer } from '../src/model-reviewer.ts';
import { GitObjects } from './git-objects.ts';

const hubPeer = peerId.parse('orchestrator');
export const reviewerPeer = peerId.parse('reviewer-1');

/** A reviewer with the real engines, the real sandbox and a real outbox, on a hub in memory. */
export class ReviewerBench {
  readonly root = mkdtempSync(join(tmpdir(), 'switchyard-reviewer-'));
  readonly objects: GitObjects;
  readonly received: Envelope[] = [];
  /** Answers `review-completing`. */
  answers = true;
  /** Lets requests to models through. */
  grants = true;
  /** Acknowledges verdicts. */
  acknowledges = true;
  acknowledgeMs = 3_000;
  finishMs = 500;
  stopped: string | undefined;
  engines: Engine[];
  modelReviewer: ModelReviewer | undefined;
  daemon: ReviewerDaemon;
  hub: Hub | undefined;
  outbox: Outbox;
  private readonly sandbox: Sandbox;
  private waiters: (() => void)[] = [];

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.engines = staticEngines({ start: sandboxedScan(sandbox) });
    this.objects = new GitObjects(this.root);
    mkdirSync(join(this.root, 'peer'));
    this.outbox = this.openOutbox();
    this.daemon = this.openDaemon();
  }

  openHub(): void {
    this.hub = createHub({
      self: hubPeer,
      hubName: 'test',
      version: '0',
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger(),
      handler: {
        connected: () => ({ fenced: [] }),
        message: (envelope) => this.take(envelope),
        liveness: () => undefined,
        disconnected: () => undefined,
      },
    });
  }

  /** A reviewer that has not started yet, by what the bench now says. */
  reopen(): void {
    this.daemon = this.openDaemon();
  }

  async closeHub(): Promise<void> {
    await this.hub?.close();
    this.hub = undefined;
  }

  /** Ends the reviewer and starts it again on the same folder. */
  async restart(): Promise<void> {
    await this.daemon.drain('restart');
    await this.outbox.close();
    this.outbox = this.openOutbox();
    this.daemon = this.openDaemon();
    await this.daemon.start();
  }

  async connected(): Promise<void> {
    await this.until(() => this.hub?.peers().some((peer) => peer.id === reviewerPeer) === true);
  }

  assign(base: CommitId, commit: CommitId, extra: object = {}): ReviewAssignment {
    const payload = reviewAssignment.parse({
      run: 'demo-abc',
      taskId: 'write code',
      attempt: 1,
      fence: 1,
      reviewId: 'review-1',
      filesChanged: [],
      description: 'write the code',
      acceptanceCriteria: [],
      specialization: 'security',
      previousReviewFeedback: [],
      commit,
      base,
      round: 1,
      timeoutMs: 20_000,
      ...extra,
    });
    this.hub?.send(reviewerPeer, 'review-assignment', payload);
    return payload;
  }

  /** Waits for a message of a type, and takes it away. */
  async next<T extends MessageType>(type: T): Promise<Envelope<T>> {
    await this.until(() => this.received.some((envelope) => envelope.type === type));
    const index = this.received.findIndex((envelope) => envelope.type === type);
    return this.received.splice(index, 1)[0] as Envelope<T>;
  }

  async until(isTrue: () => boolean, timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!isTrue()) {
      if (Date.now() > deadline)
        throw new Error(`nothing came; received: ${JSON.stringify(this.received, undefined, 1)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  leftCheckouts(): string[] {
    return readdirSync(join(this.root, 'peer', 'work'));
  }

  async close(): Promise<void> {
    await this.daemon.drain('the test ends');
    await this.hub?.close();
    await this.outbox.close();
    for (const engine of this.engines) await engine.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private take(envelope: Envelope): void {
    this.received.push(envelope);
    if (envelope.type === 'review-completing' && this.answers) {
      const { reviewId } = envelope.payload;
      this.hub?.send(reviewerPeer, 'review-acknowledged', { reviewId }, { replyTo: envelope.id });
    }
    if (envelope.type === 'permit-request' && this.grants) this.grant(envelope.payload);
    const isReport = ['review-approved', 'review-rejected', 'review-failed'].includes(envelope.type);
    if (isReport && this.acknowledges) this.hub?.send(reviewerPeer, 'ack', { of: [envelope.id] });
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** Every request of a model that came so far may be sent now. */
  grantAll(): void {
    for (const { type, payload } of [...this.received]) if (type === 'permit-request') this.grant(payload);
  }

  private grant({ sentAt, wants }: Envelope<'permit-request'>['payload']): void {
    const now = systemClock.monotonic();
    const permits = wants.map(({ id }) => ({ id, notBefore: now, expires: now + 30_000 }));
    const echo = { sentAt, receivedAt: now };
    this.hub?.send(reviewerPeer, 'permit-grant', { now, echo, permits, refused: [] });
  }

  private openOutbox(): Outbox {
    return openOutbox({ file: join(this.root, 'peer', 'outbox'), logger: silentLogger() });
  }

  private openDaemon(): ReviewerDaemon {
    const logger = silentLogger();
    const clock = systemClock;
    const random = systemRandom;
    return new ReviewerDaemon(
      onThisMachine({
        self: reviewerPeer,
        version: '0',
        host: hostname(),
        pid: process.pid,
        specializations,
        slots: 2,
        clock,
        random,
        logger,
        sandbox: this.sandbox,
        engines: this.engines,
        ...(this.modelReviewer !== undefined && { modelReviewer: this.modelReviewer }),
        engineReadPaths: engineReadPaths(),
        outbox: this.outbox,
        objects: () => Promise.resolve(this.objects.objects()),
        checkouts: join(this.root, 'peer', 'work'),
        finishMs: this.finishMs,
        acknowledgeMs: this.acknowledgeMs,
        link: (options) =>
          createLink({
            self: reviewerPeer,
            clock,
            random,
            logger,
            outbox: this.outbox,
            dial: (lane) => {
              if (this.hub === undefined) return Promise.reject(new Error('no hub'));
              const [ours, theirs] = memoryPair();
              this.hub.accept(theirs, { roles: ['reviewer'], lane });
              return Promise.resolve(ours);
            },
            ...options,
          }),
        keepToken: () => undefined,
        fatal: (error) => {
          throw error;
        },
        stop: (reason) => (this.stopped = reason),
      }),
    );
  }
}
