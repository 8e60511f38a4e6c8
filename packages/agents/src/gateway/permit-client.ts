import type { PayloadInput, SettledPermit, Spender } from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import { ClockBounds } from './clock-bounds.ts';
import { HoldTimes } from './hold-times.ts';
import { attemptName, type Ledger } from './ledger.ts';
import type { Permit, PermitSource, Settlement, Want } from './permit-source.ts';

/** The way to the orchestrator; `false`: there is none now. */
export interface PermitWire {
  ask(payload: PayloadInput<'permit-request'>): boolean;
  report(payload: PayloadInput<'usage-report'>): boolean;
}

export interface PermitClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
}

type Grant = PayloadInput<'permit-grant'>;

interface Waiting {
  readonly id: string;
  readonly attempt: Spender;
  readonly want: Want;
  tries: number;
  /** Whether the orchestrator has heard of it on this connection. */
  isAsked: boolean;
  cancelSlot: () => void;
  readonly go: (permit: Permit) => void;
  readonly fail: (error: Error) => void;
}

/** Settlements that may not have arrived when a connection was lost: told again, which changes nothing. */
const toldMax = 200;
/** Of one message. */
const wantsMax = 1000;

/**
 * The asker's end of the quota: everything that waits is asked for at once, each goes when its slot begins and is asked
 * for again when it could not go within it, and what attempts have used goes ahead of the next question. What waits while
 * there is no orchestrator waits on.
 */
export class PermitClient implements PermitSource {
  private readonly options: PermitClientOptions;
  private readonly bounds: ClockBounds;
  private readonly waiting = new Map<string, Waiting>();
  private readonly touched = new Map<string, Spender>();
  private readonly holds = new HoldTimes();
  private settled: SettledPermit[] = [];
  private arrived: string[] = [];
  private withdrawn: string[] = [];
  private told: SettledPermit[] = [];
  /** Whose usage was told, for the same reason. */
  private readonly toldOf = new Map<string, Spender>();
  private wire: PermitWire | undefined;
  private isFlushing = false;

  constructor(options: PermitClientOptions) {
    this.options = options;
    this.bounds = new ClockBounds(options.clock);
  }

  attach(wire: PermitWire): void {
    this.wire = wire;
  }

  acquire(attempt: Spender, want: Want, signal: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(reasonOf(signal));
      const id = this.options.random.token(20);
      this.holds.begin(attemptName(attempt), this.options.clock.monotonic());
      const gone = (): void => {
        this.remove(id);
        this.withdrawn.push(id);
        this.flushSoon();
        reject(reasonOf(signal));
      };
      signal.addEventListener('abort', gone, { once: true });
      const over = (): void => signal.removeEventListener('abort', gone);
      this.waiting.set(id, {
        id,
        attempt,
        want,
        tries: 0,
        isAsked: false,
        cancelSlot: () => undefined,
        go: (permit) => {
          over();
          resolve(permit);
        },
        fail: (error) => {
          over();
          reject(error);
        },
      });
      this.flushSoon();
    });
  }

  /** For how long requests of an attempt have waited so far, in milliseconds; those that wait together count once. */
  heldMs(attempt: Spender): number {
    return this.holds.of(attemptName(attempt), this.options.clock.monotonic());
  }

  /** The attempt is over. */
  forget(attempt: Spender): void {
    this.holds.forget(attemptName(attempt));
    this.toldOf.delete(attemptName(attempt));
  }

  /** The orchestrator is there, first or again, and knows nothing of what it was asked before. */
  connected(): void {
    this.bounds.reset();
    for (const each of this.waiting.values()) {
      each.cancelSlot();
      each.isAsked = false;
      this.touched.set(attemptName(each.attempt), each.attempt);
    }
    for (const [name, attempt] of this.toldOf) this.touched.set(name, attempt);
    this.settled = [...this.told, ...this.settled];
    this.told = [];
    this.flushSoon();
  }

  granted({ now, echo, permits, refused }: Grant): void {
    this.bounds.heard(now, echo);
    for (const { id, reason } of refused) {
      const each = this.remove(id);
      each?.fail(new Error(`the orchestrator lets it not through: ${reason}`));
    }
    for (const { id, notBefore, expires } of permits) {
      const each = this.waiting.get(id);
      // Whoever waited for it has gone: the slot is given back by name.
      if (each === undefined) this.settleLater(id, { kind: 'unused' });
      else this.goAt(each, notBefore, expires);
    }
  }

  private goAt(each: Waiting, notBefore: number, expires: number): void {
    each.cancelSlot();
    const delayMs = notBefore - this.bounds.least();
    if (delayMs > 0) {
      each.cancelSlot = this.options.clock.after(Math.ceil(delayMs), () =>
        this.goAt(each, notBefore, expires),
      );
      return;
    }
    if (this.bounds.most() > expires) {
      each.tries = Math.min(100, each.tries + 1);
      each.isAsked = false;
      this.settleLater(each.id, { kind: 'unused' });
      return;
    }
    this.remove(each.id);
    let isSettled = false;
    each.go({
      arrived: () => {
        this.arrived.push(each.id);
        this.flushSoon();
      },
      settle: (settlement) => {
        if (isSettled) return;
        isSettled = true;
        this.touched.set(attemptName(each.attempt), each.attempt);
        this.settleLater(each.id, settlement);
      },
    });
  }

  private settleLater(id: string, settlement: Settlement): void {
    const tokens = settlement.kind === 'done' ? settlement.tokens : 0;
    const isRefusal = settlement.kind === 'throttled' || settlement.kind === 'exhausted';
    this.settled.push({
      id,
      kind: settlement.kind,
      tokens,
      ...(isRefusal && {
        reason: settlement.reason.slice(0, 500),
        ...(settlement.retryAfterMs !== undefined && { retryAfterMs: settlement.retryAfterMs }),
      }),
    });
    this.flushSoon();
  }

  private remove(id: string): Waiting | undefined {
    const each = this.waiting.get(id);
    if (each === undefined) return undefined;
    each.cancelSlot();
    this.waiting.delete(id);
    this.holds.end(attemptName(each.attempt), this.options.clock.monotonic());
    return each;
  }

  /** Everything of one turn goes in one message. */
  private flushSoon(): void {
    if (this.isFlushing) return;
    this.isFlushing = true;
    queueMicrotask(() => {
      this.isFlushing = false;
      this.flush();
    });
  }

  /** What was used first: whether there is money for the next is judged by it. */
  private flush(): void {
    if (this.wire === undefined || !this.report(this.wire)) return;
    const fresh = [...this.waiting.values()].filter(({ isAsked }) => !isAsked);
    for (let at = 0; at < fresh.length; at += wantsMax) {
      const batch = fresh.slice(at, at + wantsMax);
      const wants = batch.map(({ id, attempt, want, tries }) => ({ id, ...attempt, ...want, tries }));
      if (!this.wire.ask({ sentAt: this.options.clock.monotonic(), wants })) return;
      for (const each of batch) each.isAsked = true;
    }
  }

  private report(wire: PermitWire): boolean {
    while (this.settled.length + this.arrived.length + this.withdrawn.length + this.touched.size > 0) {
      const attempts = [...this.touched.values()].slice(0, wantsMax);
      const settled = this.settled.slice(0, wantsMax);
      const arrived = this.arrived.slice(0, wantsMax);
      const withdrawn = this.withdrawn.slice(0, wantsMax);
      const used = attempts.map((attempt) => ({ ...attempt, usage: this.options.ledger.of(attempt) }));
      if (!wire.report({ attempts: used, settled, arrived, withdrawn })) return false;
      for (const attempt of attempts) this.noteTold(attempt);
      this.settled = this.settled.slice(settled.length);
      this.arrived = this.arrived.slice(arrived.length);
      this.withdrawn = this.withdrawn.slice(withdrawn.length);
      this.told = [...this.told, ...settled].slice(-toldMax);
    }
    return true;
  }

  private noteTold(attempt: Spender): void {
    const name = attemptName(attempt);
    this.touched.delete(name);
    this.toldOf.delete(name);
    this.toldOf.set(name, attempt);
    const [oldest] = this.toldOf.keys();
    if (this.toldOf.size > toldMax && oldest !== undefined) this.toldOf.delete(oldest);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('it was ended');
}
