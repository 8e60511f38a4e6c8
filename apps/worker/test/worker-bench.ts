import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandExecutor } from '@switchyard/agents';
import type { Sandbox } from '@switchyard/guard';
import {
  peerId,
  taskAssignment,
  type AttemptKey,
  type CommitId,
  type Envelope,
  type MessageType,
  type PayloadOf,
} from '@switchyard/protocol';
import { openLayers } from '@switchyard/receipts';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox, type Outbox } from '@switchyard/store';
import { createHub, createLink, memoryPair, type Hub } from '@switchyard/transport';
import { WorkerDaemon } from '../src/daemon.ts';
import { GitObjects } from './git-objects.ts';

const hubPeer = peerId.parse('orchestrator');
export const workerPeer = peerId.parse('worker-1');

/** A worker with the real sandbox and a real outbox, on a hub in memory. */
export class WorkerBench {
  readonly root = mkdtempSync(join(tmpdir(), 'switchyard-worker-'));
  readonly objects: GitObjects;
  readonly received: Envelope[] = [];
  /** What the hub says no longer belongs to the worker. */
  fenced: AttemptKey[] = [];
  acknowledges = true;
  stopped: string | undefined;
  daemon: WorkerDaemon;
  hub: Hub | undefined;
  outbox: Outbox;
  private readonly sandbox: Sandbox;
  private waiters: (() => void)[] = [];

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.objects = new GitObjects(this.root);
    mkdirSync(join(this.root, 'peer'));
    this.outbox = this.openOutbox();
    this.daemon = this.openDaemon();
  }

  get attempts(): string {
    return join(this.root, 'peer', 'attempts');
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
        connected: () => ({ fenced: this.fenced }),
        message: (envelope) => this.take(envelope),
        liveness: () => undefined,
        disconnected: () => undefined,
      },
    });
  }

  /** Ends the worker without a word, as kill -9 does, and starts it again on the same folder. */
  async restart(): Promise<void> {
    await this.daemon.drain('restart');
    await this.outbox.close();
    this.outbox = this.openOutbox();
    this.daemon = this.openDaemon();
    await this.daemon.start();
  }

  async connected(): Promise<void> {
    await this.until(() => this.hub?.peers().some((peer) => peer.id === workerPeer) === true);
  }

  assign(base: CommitId, run: string[], extra: object = {}): PayloadOf<'task-assignment'> {
    const payload = taskAssignment.parse({
      run: 'demo-abc',
      taskId: 'write docs',
      attempt: 1,
      fence: 1,
      instructions: 'write the docs',
      workspacePath: 'docs',
      acceptanceCriteria: [],
      kind: 'implement',
      workspace: ['docs'],
      reads: 'all',
      executor: { kind: 'command', run },
      acceptance: [],
      timeoutMs: 20_000,
      base,
      scratch: [],
      round: 1,
      feedback: [],
      ...extra,
    });
    this.hub?.send(workerPeer, 'task-assignment', payload, { fence: payload.fence });
    return payload;
  }

  /** Waits for a message of a type, and takes it away. */
  async next<T extends MessageType>(type: T): Promise<Envelope<T>> {
    await this.until(() => this.received.some((envelope) => envelope.type === type));
    const index = this.received.findIndex((envelope) => envelope.type === type);
    return this.received.splice(index, 1)[0] as Envelope<T>;
  }

  async until(isTrue: () => boolean, timeoutMs = 20_000): Promise<void> {
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

  leftAttempts(): string[] {
    return readdirSync(this.attempts);
  }

  async close(): Promise<void> {
    await this.daemon.drain('the test ends');
    await this.hub?.close();
    await this.outbox.close();
    await this.objects.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private take(envelope: Envelope): void {
    this.received.push(envelope);
    const isReport = ['task-completed', 'task-failed', 'escalation'].includes(envelope.type);
    if (isReport && this.acknowledges) this.hub?.send(workerPeer, 'ack', { of: [envelope.id] });
    for (const wake of this.waiters.splice(0)) wake();
  }

  private openOutbox(): Outbox {
    return openOutbox({ file: join(this.root, 'peer', 'outbox'), logger: silentLogger() });
  }

  private openDaemon(): WorkerDaemon {
    const logger = silentLogger();
    const clock = systemClock;
    const random = systemRandom;
    return new WorkerDaemon({
      self: workerPeer,
      version: '0',
      host: hostname(),
      pid: process.pid,
      labels: ['executor:command'],
      slots: 2,
      clock,
      random,
      logger,
      sandbox: this.sandbox,
      executors: [commandExecutor],
      outbox: this.outbox,
      objects: () => this.objects.open(this.sandbox),
      layers: openLayers({ folder: join(this.root, 'layers'), sandbox: this.sandbox, clock, logger }),
      attempts: this.attempts,
      abortMs: 2_000,
      link: (options) =>
        createLink({
          self: workerPeer,
          clock,
          random,
          logger,
          outbox: this.outbox,
          dial: (lane) => {
            if (this.hub === undefined) return Promise.reject(new Error('no hub'));
            const [ours, theirs] = memoryPair();
            this.hub.accept(theirs, { roles: ['worker'], lane });
            return Promise.resolve(ours);
          },
          ...options,
        }),
      keepToken: () => undefined,
      fatal: (error) => {
        throw error;
      },
      stop: (reason) => (this.stopped = reason),
    });
  }
}
