import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandExecutor, type AttemptModel, type Executor, type McpServerLaunch } from '@switchyard/agents';
import type { Sandbox } from '@switchyard/guard';
import {
  peerId,
  specOf,
  taskAssignment,
  type AttemptKey,
  type CommitId,
  type Envelope,
  type MessageType,
  type PayloadOf,
  type TaskAssignment,
} from '@switchyard/protocol';
import { openLayers } from '@switchyard/receipts';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox, type Outbox } from '@switchyard/store';
import { createHub, createLink, memoryPair, type Hub } from '@switchyard/transport';
import { WorkerDaemon } from '../src/daemon.ts';
import { onThisMachine } from '../src/workshop.ts';
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
  wipIntervalMs = 0;
  abortMs = 2_000;
  executors: readonly Executor[] = [commandExecutor];
  openModel: ((assignment: TaskAssignment) => Promise<AttemptModel>) | undefined;
  mcpLaunch: ((name: string, tree: string) => McpServerLaunch) | undefined;
  readonly secrets: string[] = [];
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

  get transcripts(): string {
    return join(this.root, 'peer', 'transcripts');
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

  /** Ends the worker in order and starts it again on the same folder. */
  async restart(): Promise<void> {
    await this.daemon.drain('restart');
    await this.begin();
  }

  /** Leaves the worker's folder as it is in this moment, as kill -9 does, and starts the worker again on it. */
  async killAndRestart(): Promise<void> {
    const peer = join(this.root, 'peer');
    const saved = join(this.root, 'saved');
    execFileSync('cp', ['-a', peer, saved]);
    const { hub } = this;
    // Its last words are heard by nobody, and leave no trace.
    this.hub = undefined;
    this.objects.isAway = true;
    await hub?.close();
    await this.daemon.drain('killed');
    await this.outbox.close();
    for (const name of ['attempts', 'outbox']) {
      rmSync(join(peer, name), { recursive: true, force: true });
      if (existsSync(join(saved, name))) renameSync(join(saved, name), join(peer, name));
    }
    rmSync(saved, { recursive: true, force: true });
    this.objects.isAway = false;
    this.openHub();
    await this.begin({ isClosed: true });
  }

  private async begin({ isClosed = false } = {}): Promise<void> {
    if (!isClosed) await this.outbox.close();
    this.outbox = this.openOutbox();
    this.daemon = this.openDaemon();
    await this.daemon.start();
  }

  /** A worker that has not started yet, by what the bench now says. */
  reopen(): void {
    this.daemon = this.openDaemon();
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
    const isReport = specOf(envelope.type)?.durable === true;
    if (isReport && this.acknowledges) this.hub?.send(workerPeer, 'ack', { of: [envelope.id] });
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** Whether the file of the outbox names a message. */
  outboxHolds(id: string): boolean {
    return readFileSync(this.outboxFile).includes(id);
  }

  private get outboxFile(): string {
    return join(this.root, 'peer', 'outbox');
  }

  private openOutbox(): Outbox {
    return openOutbox({ file: this.outboxFile, logger: silentLogger() });
  }

  private openDaemon(): WorkerDaemon {
    const logger = silentLogger();
    const clock = systemClock;
    const random = systemRandom;
    return new WorkerDaemon(
      onThisMachine({
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
        executors: this.executors,
        ...(this.openModel !== undefined && { openModel: this.openModel }),
        ...(this.mcpLaunch !== undefined && { mcpLaunch: this.mcpLaunch }),
        transcripts: this.transcripts,
        secrets: this.secrets,
        outbox: this.outbox,
        objects: () => this.objects.open(this.sandbox),
        layers: openLayers({ folder: join(this.root, 'layers'), sandbox: this.sandbox, clock, logger }),
        attempts: this.attempts,
        wipIntervalMs: this.wipIntervalMs,
        abortMs: this.abortMs,
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
      }),
    );
  }
}
