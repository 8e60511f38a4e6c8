import { spawn, type ChildProcess } from 'node:child_process';
import { hostname } from 'node:os';
import { AppError, type PeerId, type Role } from '@switchyard/protocol';
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
}

/** After so many starts in a row that came to nothing, it is tried less often. */
const backoffAfterFailures = 3;
const retryMs = 5_000;

/**
 * Starts local workers and reviewers when there is work that nobody free can take, up to a cap, and stops those
 * that were idle for long. Their processes are children of this one and end with it.
 */
export class InstanceManager implements Instances {
  private readonly instances = new Map<number, Instance>();
  private readonly options: InstanceOptions;
  private failures = 0;
  private notBefore = 0;
  private closed = false;
  private cancelSweep: (() => void) | undefined;
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
    this.adjust('reviewer', { ...demand.reviewers, connected: demand.reviewers.connected }, reviewers);
  }

  arrived(peer: PeerId, pid: number, host: string): boolean {
    const instance = host === hostname() ? this.instances.get(pid) : undefined;
    if (instance === undefined) return false;
    if (instance.state.kind === 'starting') {
      instance.state.cancel();
      this.failures = 0;
    }
    if (instance.state.kind !== 'stopping') instance.state = { kind: 'ready', peer, idleSince: undefined };
    return true;
  }

  isLocal(peer: PeerId): boolean {
    return this.find(peer) !== undefined;
  }

  starting(): readonly { role: Role; pid: number; since: number }[] {
    return [...this.instances]
      .filter(([, instance]) => instance.state.kind === 'starting')
      .map(([pid, { role, since }]) => ({ role, pid, since }));
  }

  /** What each instance is doing. */
  status(): readonly {
    role: LocalRole;
    pid: number;
    state: InstanceState['kind'];
    peer: PeerId | undefined;
  }[] {
    return [...this.instances].map(([pid, { role, state }]) => ({
      role,
      pid,
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

  /** Starts one instance. Throws AppError E_FLEET_FULL at the cap. */
  spawn(role: LocalRole): number {
    const bounds = role === 'worker' ? this.options.workers : this.options.reviewers;
    const count = this.count(role);
    if (this.closed || count >= bounds.max) {
      throw new AppError(
        'E_FLEET_FULL',
        `${count} local ${role}s run already; the limit is ${bounds.max} (--${role}s-max)`,
      );
    }
    const { argv, env } = this.options.command(role);
    const [program, ...rest] = argv;
    const child = spawn(program ?? process.execPath, rest, {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: false,
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
    child.on('error', (error) => this.gone(child, role, error.message));
    child.on('exit', (code, signal) =>
      this.gone(
        child,
        role,
        `${describeExit(code, signal)}${complaint === '' ? '' : `: ${complaint.trim()}`}`,
      ),
    );
    const pid = child.pid ?? -1;
    const cancel = this.options.clock.after(this.options.spawnTimeoutMs, () =>
      this.spawnTimedOut(child, role),
    );
    this.instances.set(pid, {
      role,
      child,
      since: this.options.clock.now(),
      state: { kind: 'starting', cancel },
    });
    this.options.logger.info({ role, pid }, 'local instance started');
    return pid;
  }

  async cleanup(): Promise<void> {
    this.closed = true;
    this.cancelSweep?.();
    const ends = [...this.instances.values()].map(
      ({ child }) =>
        new Promise<void>((resolve) =>
          child.exitCode !== null || child.signalCode !== null
            ? resolve()
            : child.once('exit', () => resolve()),
        ),
    );
    for (const instance of this.instances.values()) this.stop(instance);
    await Promise.all(ends);
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
      if (this.options.clock.now() < this.notBefore || this.count(role) >= bounds.max) return;
      this.spawn(role);
    }
  }

  private markIdle(role: LocalRole, idle: readonly PeerId[]): void {
    const now = this.options.clock.now();
    const isIdle = new Set(idle);
    let any = false;
    for (const instance of this.instances.values()) {
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
    for (const instance of this.instances.values()) {
      const { state, role } = instance;
      const min = role === 'worker' ? this.options.workers.min : this.options.reviewers.min;
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

  private spawnTimedOut(child: ChildProcess, role: LocalRole): void {
    this.options.logger.error(
      { role, pid: child.pid, timeoutMs: this.options.spawnTimeoutMs },
      'a local instance did not say hello in time; it is ended',
    );
    child.kill('SIGKILL');
  }

  private gone(child: ChildProcess, role: LocalRole, reason: string): void {
    const pid = child.pid ?? -1;
    const instance = this.instances.get(pid);
    if (instance === undefined) return;
    this.instances.delete(pid);
    const { state } = instance;
    if (state.kind === 'starting') {
      state.cancel();
      this.failures += 1;
      if (this.failures >= backoffAfterFailures) this.notBefore = this.options.clock.now() + retryMs;
    }
    const level = state.kind === 'stopping' ? 'info' : 'warn';
    this.options.logger[level]({ role, pid, reason }, 'local instance ended');
    this.options.ended(state.kind === 'starting' ? undefined : state.peer, role, reason);
  }

  private count(role: LocalRole): number {
    return [...this.instances.values()].filter(
      (instance) => instance.role === role && instance.state.kind !== 'stopping',
    ).length;
  }

  private find(peer: PeerId): Instance | undefined {
    return [...this.instances.values()].find(({ state }) => state.kind === 'ready' && state.peer === peer);
  }
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code ?? '?'}` : `ended by ${signal}`;
}
