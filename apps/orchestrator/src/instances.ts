import { spawn, type ChildProcess } from 'node:child_process';
import { hostname } from 'node:os';
import { AppError, exitCodes, messageOf, type PeerId } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import type { FleetDemand, Instances } from './ports.ts';

type LocalRole = 'worker' | 'reviewer';

/** How many local instances of a role there may be. */
export interface InstanceBounds {
  readonly min: number;
  readonly max: number;
}

export interface InstanceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workers: InstanceBounds;
  readonly reviewers: InstanceBounds;
  readonly idleStopMs: number;
  readonly spawnTimeoutMs: number;
  /** From the request to stop to SIGKILL. */
  readonly stopTimeoutMs: number;
  /** Program and arguments that start one instance. */
  readonly command: (role: LocalRole) => {
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
  /** An instance's process has ended. */
  readonly ended: (peer: PeerId | undefined, role: LocalRole, reason: string) => void;
}

type InstanceState =
  | { readonly kind: 'starting'; readonly cancel: () => void }
  | { readonly kind: 'ready'; readonly peer: PeerId; idleSince: number | undefined }
  | { readonly kind: 'stopping'; readonly peer: PeerId | undefined };

interface Instance {
  readonly role: LocalRole;
  readonly child: ChildProcess;
  readonly since: number;
  state: InstanceState;
  /** Why it was ended before it was ready. */
  late?: string;
}

/** After so many starts in a row that came to nothing, it is tried less often. */
const backoffAfterFailures = 3;
const retryMs = 5_000;
/**
 * Whoever ends a tree of processes from its leaves (nx does, within 5 s) comes to this one last: what was asked to end
 * by somebody else is not replaced before that, or it would be given work, and be a new leaf.
 */
const replaceAfterMs = 5_000;

/** Starts of one role that came to nothing. */
interface Trouble {
  readonly failures: number;
  readonly notBefore: number;
  /** How the last one ended. */
  readonly reason: string;
}
const noTrouble: Trouble = { failures: 0, notBefore: Number.NEGATIVE_INFINITY, reason: '' };

/**
 * Starts local workers and reviewers when there is work that nobody free can take, up to a cap, and stops those
 * that were idle for long. Their processes are children of this one and end with it.
 */
export class InstanceManager implements Instances {
  private readonly instances = new Set<Instance>();
  private readonly options: InstanceOptions;
  private readonly whenGone = new WeakMap<Instance, () => void>();
  private readonly troubles = new Map<LocalRole, Trouble>();
  private closed = false;
  private replaceNotBefore = Number.NEGATIVE_INFINITY;
  private cancelSweep: (() => void) | undefined;
  private cancelRetry: (() => void) | undefined;
  private lastDemand: FleetDemand | undefined;

  constructor(options: InstanceOptions) {
    this.options = options;
  }

  want(demand: FleetDemand): void {
    this.lastDemand = demand;
    const { workers, reviewers } = this.options;
    this.adjust('worker', demand.workers, {
      min: workers.min,
      max: Math.min(workers.max, Math.max(workers.min, demand.workers.cap)),
    });
    this.adjust('reviewer', demand.reviewers, reviewers);
  }

  arrived(peer: PeerId, pid: number, host: string): boolean {
    const instance = host === hostname() ? this.byPid(pid) : undefined;
    if (instance === undefined) return false;
    if (instance.state.kind === 'starting') {
      instance.state.cancel();
      this.troubles.delete(instance.role);
    }
    if (instance.state.kind !== 'stopping') instance.state = { kind: 'ready', peer, idleSince: undefined };
    return true;
  }

  leaving(peer: PeerId, host: string): void {
    const isAsked = [...this.instances].some(({ state }) => state.kind === 'stopping' && state.peer === peer);
    if (host === hostname() && !isAsked) this.replaceLater();
  }

  stalled(): void {
    for (const instance of this.instances) {
      if (instance.state.kind !== 'starting' || instance.late !== undefined) continue;
      instance.state.cancel();
      this.expectHello(instance);
    }
  }

  isLocal(peer: PeerId): boolean {
    return this.find(peer) !== undefined;
  }

  hindrance(role: LocalRole): string | undefined {
    if (this.closed) return 'the orchestrator is shutting down';
    if (this.bounds(role).max === 0) return `no local ${role}s are started here (--${role}s-max 0)`;
    const { failures, reason } = this.trouble(role);
    return failures < backoffAfterFailures ? undefined : `local ${role}s do not start: ${reason}`;
  }

  starting(): readonly { role: LocalRole; pid: number; since: number }[] {
    return [...this.instances]
      .filter(({ state }) => state.kind === 'starting')
      .map(({ role, child, since }) => ({ role, pid: pidOf(child), since }));
  }

  /** What each instance is doing. */
  status(): readonly {
    role: LocalRole;
    pid: number;
    state: InstanceState['kind'];
    peer: PeerId | undefined;
  }[] {
    return [...this.instances].map(({ role, child, state }) => ({
      role,
      pid: pidOf(child),
      state: state.kind,
      peer: state.kind === 'starting' ? undefined : state.peer,
    }));
  }

  terminate(peer: PeerId): boolean {
    const instance = this.find(peer);
    if (instance === undefined) return false;
    this.stop(instance);
    return true;
  }

  /** Starts one instance. Throws AppError E_FLEET_FULL at the cap, E_SPAWN when it cannot even be tried. */
  spawn(role: LocalRole): number {
    const { max } = this.bounds(role);
    const count = this.count(role);
    if (this.closed || count >= max) {
      throw new AppError(
        'E_FLEET_FULL',
        `${count} local ${role}s run already; the limit is ${max} (--${role}s-max)`,
      );
    }
    const child = this.start(role);
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
    const { clock, logger } = this.options;
    const instance: Instance = {
      ...{ role, child, since: clock.now() },
      state: { kind: 'starting', cancel: () => undefined },
    };
    this.expectHello(instance);
    this.instances.add(instance);
    child.on('error', (error) => this.gone(instance, error.message));
    child.on('exit', (code, signal) => {
      if (instance.state.kind !== 'stopping' && isAskedEnd(code, signal)) this.replaceLater();
      this.gone(
        instance,
        `${instance.late ?? describeExit(code, signal)}${complaint === '' ? '' : `: ${complaint.trim()}`}`,
      );
    });
    logger.info({ role, pid: child.pid }, 'local instance started');
    return pidOf(child);
  }

  async cleanup(): Promise<void> {
    this.closed = true;
    this.cancelSweep?.();
    this.cancelRetry?.();
    const ends = [...this.instances].map(
      (instance) => new Promise<void>((resolve) => this.whenGone.set(instance, resolve)),
    );
    for (const instance of this.instances) this.stop(instance);
    await Promise.all(ends);
  }

  private start(role: LocalRole): ChildProcess {
    const { argv, env } = this.options.command(role);
    const [program, ...rest] = argv;
    try {
      return spawn(program ?? process.execPath, rest, {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: false,
      });
    } catch (cause) {
      this.failed(role, messageOf(cause));
      throw new AppError('E_SPAWN', `a local ${role} cannot be started: ${messageOf(cause)}`, { cause });
    }
  }

  private adjust(
    role: LocalRole,
    demand: { connected: number; ready: number; idle: readonly PeerId[] },
    bounds: InstanceBounds,
  ): void {
    if (this.closed) return;
    this.markIdle(role, demand.idle);
    const starting = this.starting().filter((entry) => entry.role === role).length;
    const wanted = Math.max(
      bounds.min - this.count(role),
      Math.min(demand.ready - starting, bounds.max - demand.connected - starting),
    );
    for (let started = 0; started < wanted; started += 1) {
      if (this.mustWait(role) || this.count(role) >= bounds.max) return;
      try {
        this.spawn(role);
      } catch (error) {
        this.options.logger.error({ role, err: error }, 'a local instance cannot be started');
        return;
      }
    }
  }

  private replaceLater(): void {
    this.replaceNotBefore = this.options.clock.monotonic() + replaceAfterMs;
  }

  /** Starts of this role have come to nothing too often, or ours are being ended; it is tried again after a while. */
  private mustWait(role: LocalRole): boolean {
    const { clock } = this.options;
    const waitMs = Math.max(this.trouble(role).notBefore, this.replaceNotBefore) - clock.monotonic();
    if (waitMs <= 0) return false;
    this.cancelRetry ??= clock.after(waitMs, () => {
      this.cancelRetry = undefined;
      if (this.lastDemand !== undefined) this.want(this.lastDemand);
    });
    return true;
  }

  private markIdle(role: LocalRole, idle: readonly PeerId[]): void {
    const now = this.options.clock.now();
    const isIdle = new Set(idle);
    let any = false;
    for (const instance of this.instances) {
      const { state } = instance;
      if (instance.role !== role || state.kind !== 'ready') continue;
      if (!isIdle.has(state.peer)) state.idleSince = undefined;
      else state.idleSince ??= now;
      any ||= state.idleSince !== undefined;
    }
    if (any && this.cancelSweep === undefined) {
      this.cancelSweep = this.options.clock.after(this.options.idleStopMs, () => this.sweep());
    }
  }

  /** Stops what was idle for long, down to the minimum. */
  private sweep(): void {
    this.cancelSweep = undefined;
    const now = this.options.clock.now();
    for (const instance of this.instances) {
      const { state, role } = instance;
      const { min } = this.bounds(role);
      if (state.kind !== 'ready' || state.idleSince === undefined || this.count(role) <= min) continue;
      if (now - state.idleSince >= this.options.idleStopMs) this.stop(instance);
    }
    if (this.lastDemand !== undefined) this.want(this.lastDemand);
  }

  private stop(instance: Instance): void {
    if (instance.state.kind === 'stopping') return;
    if (instance.state.kind === 'starting') instance.state.cancel();
    instance.state = {
      kind: 'stopping',
      peer: instance.state.kind === 'ready' ? instance.state.peer : undefined,
    };
    instance.child.kill('SIGTERM');
    const cancel = this.options.clock.after(this.options.stopTimeoutMs, () => instance.child.kill('SIGKILL'));
    instance.child.once('exit', cancel);
  }

  private expectHello(instance: Instance): void {
    const { clock, spawnTimeoutMs } = this.options;
    const cancel = clock.after(spawnTimeoutMs, () => this.spawnTimedOut(instance));
    instance.state = { kind: 'starting', cancel };
  }

  private spawnTimedOut(instance: Instance): void {
    const { role, child } = instance;
    const { logger, spawnTimeoutMs } = this.options;
    instance.late = `E_SPAWN: it did not say hello within ${spawnTimeoutMs / 1000} s (--spawn-timeout-ms)`;
    logger.error(
      { role, pid: child.pid, timeoutMs: spawnTimeoutMs },
      'a local instance did not say hello in time; it is ended',
    );
    child.kill('SIGKILL');
  }

  private gone(instance: Instance, reason: string): void {
    if (!this.instances.delete(instance)) return;
    const { role, child, state } = instance;
    if (state.kind === 'starting') {
      state.cancel();
      this.failed(role, reason);
    }
    const level = state.kind === 'stopping' ? 'info' : 'warn';
    this.options.logger[level]({ role, pid: child.pid, reason }, 'local instance ended');
    this.whenGone.get(instance)?.();
    this.options.ended(state.kind === 'starting' ? undefined : state.peer, role, reason);
  }

  /** A start came to nothing. */
  private failed(role: LocalRole, reason: string): void {
    const failures = this.trouble(role).failures + 1;
    const notBefore =
      failures >= backoffAfterFailures ? this.options.clock.monotonic() + retryMs : Number.NEGATIVE_INFINITY;
    this.troubles.set(role, { failures, notBefore, reason });
  }

  private trouble(role: LocalRole): Trouble {
    return this.troubles.get(role) ?? noTrouble;
  }

  private bounds(role: LocalRole): InstanceBounds {
    return role === 'worker' ? this.options.workers : this.options.reviewers;
  }

  private count(role: LocalRole): number {
    return [...this.instances].filter(
      (instance) => instance.role === role && instance.state.kind !== 'stopping',
    ).length;
  }

  private find(peer: PeerId): Instance | undefined {
    return [...this.instances].find(({ state }) => state.kind === 'ready' && state.peer === peer);
  }

  private byPid(pid: number): Instance | undefined {
    return [...this.instances].find(({ child }) => child.pid === pid);
  }
}

/** 0 for a process that could not be started. */
function pidOf(child: ChildProcess): number {
  return child.pid ?? 0;
}

/** By a signal that asks, whether it was ready to hear it or not. */
function isAskedEnd(code: number | null, signal: NodeJS.Signals | null): boolean {
  return signal === 'SIGTERM' || signal === 'SIGINT' || code === 0 || code === exitCodes.interrupted.code;
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code ?? '?'}` : `ended by ${signal}`;
}
