import { Meter, type MeterLimits, type Slot } from './meter.ts';
import { ProviderMeter, type ProviderPause } from './provider.ts';
import { Purse } from './purse.ts';

/** Names what money is limited of: `run …`, `task …`, `day …`. */
export type PurseName = string;

/** A request that waits. */
export interface QuotaWant {
  readonly id: string;
  /** Names its attempt; whoever it is told to is found by it. */
  readonly attempt: string;
  readonly run: string;
  readonly provider: string;
  readonly tokens: number;
  /** The most it may cost. */
  readonly microUsd: number;
  /** The money it is paid from. */
  readonly purses: readonly PurseName[];
  /** Slots of its that came too late: the next is longer. */
  readonly tries: number;
}

/** The right to send a request between two moments. */
export interface QuotaGrant {
  readonly want: QuotaWant;
  readonly notBefore: number;
  readonly expires: number;
}

/** What a look at everything that waits comes to. */
export interface QuotaTurn {
  readonly grants: readonly QuotaGrant[];
  /** Requests that money is missing for, by the purse that is used up. */
  readonly unpaid: readonly { readonly want: QuotaWant; readonly purse: PurseName }[];
  /** Requests whose provider has nothing left, until a time. */
  readonly parked: readonly { readonly want: QuotaWant; readonly pause: ProviderPause }[];
  /** When to look again though nothing happens; undefined: something has to happen first. */
  readonly nextAt: number | undefined;
}

export interface QuotaSettlement {
  readonly kind: 'unused' | 'done' | 'throttled' | 'exhausted';
  readonly tokens: number;
  readonly retryAfterMs?: number | undefined;
  readonly reason?: string | undefined;
}

interface Granted {
  readonly want: QuotaWant;
  slot: Slot;
  readonly epoch: number;
}

/** How far ahead slots are given out, and how long one is good for; twice as long after each that came too late. */
export const slotMs = { horizon: 2_000, validity: 2_000, validityMax: 32_000 } as const;
const minuteMs = 60_000;
/**
 * How long a request may be on its way to the server without spoiling the count there: a machine full of agents needs
 * many seconds to send one. Once the server begins to answer it was there, and counts from then at the latest.
 */
const onItsWayMs = 15_000;
/** How long nobody sends where it is not known what was sent before. */
export const unknownMs = slotMs.validity + minuteMs + onItsWayMs;

/**
 * The quota of the whole fleet: who may send when. Deterministic and without I/O: time comes in with every call, as
 * milliseconds of a clock that never goes back.
 *
 * Invariants: (1) no window of a minute has more requests than a provider's or a run's limit, wherever in its slot a
 * request is sent; (2) nobody is let through while a provider is paused, and after a pause one by one, then two, four …;
 * (3) an attempt sends while what its purses have spent is under their limits, and then one request: more than one at
 * once only where all of them surely have room; so a purse is exceeded by at most a request an attempt; (4) requests of
 * one provider and run go in the order they came; (5) what waits is given back when it is withdrawn, and a slot that was
 * not used counts no more.
 */
export class Quota {
  private readonly limits: Readonly<Record<string, MeterLimits>>;
  private readonly providers = new Map<string, ProviderMeter>();
  private readonly runs = new Map<string, Meter>();
  private readonly purses = new Map<PurseName, Purse>();
  private readonly queue = new Map<string, QuotaWant>();
  private readonly granted = new Map<string, Granted>();
  /** Attempt → its requests under way. */
  private readonly busy = new Map<string, number>();

  /** `limits`: what each provider lets the fleet do; one that is not named has no limit. */
  constructor(limits: Readonly<Record<string, MeterLimits>>) {
    this.limits = limits;
  }

  /** Sets what a run may do; also when that has changed. */
  setRun(run: string, limits: MeterLimits): void {
    const meter = this.runs.get(run);
    if (meter === undefined) this.runs.set(run, new Meter(limits));
    else meter.limits = limits;
  }

  purse(name: PurseName): Purse {
    let purse = this.purses.get(name);
    if (purse === undefined) this.purses.set(name, (purse = new Purse(undefined)));
    return purse;
  }

  forgetRun(run: string): void {
    this.runs.delete(run);
    for (const name of [...this.purses.keys()])
      if (name === `run ${run}` || name.startsWith(`task ${run} `)) this.purses.delete(name);
  }

  /**
   * What was sent in the last minute is not known, because whoever counted it is gone: where there is a limit, nobody
   * sends for a minute, and before it as long as the last of those requests may have taken to get there. The providers.
   */
  begin(at: number): readonly string[] {
    const limited = Object.entries(this.limits)
      .filter(([, { rpm, tokensPerMinute }]) => rpm !== undefined || tokensPerMinute !== undefined)
      .map(([name]) => name);
    for (const name of limited) this.provider(name).meter.block(at + unknownMs);
    return limited;
  }

  get isIdle(): boolean {
    return this.queue.size === 0;
  }

  pauseOf(provider: string, at: number): ProviderPause | undefined {
    const { pause } = this.provider(provider);
    return pause !== undefined && at < pause.until ? pause : undefined;
  }

  /** Requests of a run that count in its last minute. */
  requestsOf(run: string, at: number): number {
    return this.runs.get(run)?.requests(at) ?? 0;
  }

  /** A request waits. One that had a slot and asks again never heard of it, or it came too late. */
  ask(want: QuotaWant): void {
    this.settle(want.id, { kind: 'unused', tokens: 0 }, 0);
    this.queue.set(want.id, want);
  }

  /** It does not wait any more. */
  withdraw(id: string): void {
    this.queue.delete(id);
    this.settle(id, { kind: 'unused', tokens: 0 }, 0);
  }

  /** The server has begun to answer a request that was let through. Of one that is not known nothing follows. */
  arrived(id: string, at: number): void {
    const granted = this.granted.get(id);
    if (granted === undefined) return;
    const slot = settled(granted.slot, granted.slot.tokens, at);
    for (const meter of this.metersOf(granted.want)) meter.replace(granted.slot, slot);
    granted.slot = slot;
  }

  /** A request that was let through has ended. Of one that is not known nothing follows. */
  settle(id: string, settlement: QuotaSettlement, at: number): void {
    const granted = this.granted.get(id);
    if (granted === undefined) return;
    const { want, slot, epoch } = granted;
    const provider = this.provider(want.provider);
    this.release(granted);
    provider.end(epoch);
    switch (settlement.kind) {
      case 'unused':
        for (const meter of this.metersOf(want)) meter.remove(slot);
        return;
      case 'done':
        for (const meter of this.metersOf(want)) meter.replace(slot, settled(slot, settlement.tokens, at));
        provider.wentWell(epoch);
        return;
      case 'throttled':
      case 'exhausted': {
        const { kind, retryAfterMs, reason = '' } = settlement;
        for (const meter of this.metersOf(want)) meter.replace(slot, settled(slot, slot.tokens, at));
        provider.refuse(at, epoch, { kind, retryAfterMs, reason });
      }
    }
  }

  /** An attempt is over. What it had under way and never told the end of counts as spent, at its most: the sum. */
  drop(attempt: string): number {
    let presumed = 0;
    for (const want of [...this.queue.values()]) if (want.attempt === attempt) this.queue.delete(want.id);
    for (const granted of [...this.granted.values()]) {
      if (granted.want.attempt !== attempt) continue;
      this.release(granted);
      this.provider(granted.want.provider).end(granted.epoch);
      for (const name of granted.want.purses) this.purse(name).spent += granted.want.microUsd;
      presumed += granted.want.microUsd;
    }
    return presumed;
  }

  /** Lets through what may be sent now or soon. */
  turn(at: number): QuotaTurn {
    const turn = new Turn(at);
    for (const want of this.queue.values()) this.consider(want, turn);
    for (const { want } of turn.grants) this.queue.delete(want.id);
    return turn;
  }

  private consider(want: QuotaWant, turn: Turn): void {
    const { at } = turn;
    const provider = this.provider(want.provider);
    // Who comes later does not overtake who waits for the same.
    if (turn.isFull(want)) return;
    const purse = this.unpaidBy(want);
    if (purse !== undefined) return void turn.unpaid.push({ want, purse });
    const pausedUntil = provider.pausedUntil(at);
    if (pausedUntil !== undefined) {
      turn.lookAgain(pausedUntil);
      if (provider.pause?.kind === 'exhausted') turn.parked.push({ want, pause: provider.pause });
      return;
    }
    if (!provider.hasRoom(at) || !this.mayBeBeside(want)) return;
    const notBefore = Math.max(...this.metersOf(want).map((meter) => meter.earliest(at, want.tokens)));
    if (notBefore > at + slotMs.horizon) {
      turn.fill(want);
      return turn.lookAgain(notBefore - slotMs.horizon);
    }
    turn.grants.push(this.grant(want, notBefore));
  }

  private grant(want: QuotaWant, notBefore: number): QuotaGrant {
    const validityMs = Math.min(slotMs.validityMax, slotMs.validity * 2 ** want.tries);
    const expires = notBefore + validityMs;
    const slot: Slot = { freeAt: expires + minuteMs + onItsWayMs, tokens: want.tokens };
    for (const meter of this.metersOf(want)) meter.add(slot);
    const epoch = this.provider(want.provider).begin();
    for (const name of want.purses) this.purse(name).reserved += want.microUsd;
    this.busy.set(want.attempt, (this.busy.get(want.attempt) ?? 0) + 1);
    this.granted.set(want.id, { want, slot, epoch });
    return { want, notBefore, expires };
  }

  private release({ want }: Granted): void {
    this.granted.delete(want.id);
    for (const name of want.purses) this.purse(name).reserved -= want.microUsd;
    const busy = (this.busy.get(want.attempt) ?? 1) - 1;
    if (busy === 0) this.busy.delete(want.attempt);
    else this.busy.set(want.attempt, busy);
  }

  private unpaidBy({ purses }: QuotaWant): PurseName | undefined {
    return purses.find((name) => this.purse(name).isUsedUp);
  }

  /** Beside another request of its attempt only where the money surely is enough for all. */
  private mayBeBeside({ attempt, purses, microUsd }: QuotaWant): boolean {
    return !this.busy.has(attempt) || purses.every((name) => this.purse(name).hasRoomFor(microUsd));
  }

  private metersOf({ provider, run }: QuotaWant): Meter[] {
    const ofRun = this.runs.get(run);
    const { meter } = this.provider(provider);
    return ofRun === undefined ? [meter] : [meter, ofRun];
  }

  private provider(name: string): ProviderMeter {
    let provider = this.providers.get(name);
    if (provider === undefined)
      this.providers.set(name, (provider = new ProviderMeter(this.limits[name] ?? {})));
    return provider;
  }
}

/** What a slot comes to whose request was there by now. */
function settled({ freeAt }: Slot, tokens: number, at: number): Slot {
  return { freeAt: Math.min(freeAt, at + minuteMs), tokens };
}

class Turn implements QuotaTurn {
  readonly at: number;
  readonly grants: QuotaGrant[] = [];
  readonly unpaid: { want: QuotaWant; purse: PurseName }[] = [];
  readonly parked: { want: QuotaWant; pause: ProviderPause }[] = [];
  /** Providers and runs whose minute is full. */
  private readonly full = new Set<string>();
  nextAt: number | undefined;

  constructor(at: number) {
    this.at = at;
  }

  isFull({ provider, run }: QuotaWant): boolean {
    return this.full.has(`provider ${provider}`) || this.full.has(`run ${run}`);
  }

  fill({ provider, run }: QuotaWant): void {
    this.full.add(`provider ${provider}`).add(`run ${run}`);
  }

  lookAgain(at: number): void {
    this.nextAt = Math.min(this.nextAt ?? Infinity, at);
  }
}
