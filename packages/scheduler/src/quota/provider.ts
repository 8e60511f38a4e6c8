import { Meter, type MeterLimits } from './meter.ts';

/** A provider's pauses where it names no time. */
const pauseMs = { first: 1_000, most: 60_000, exhausted: 15 * 60_000 } as const;
/** So many pauses in a row may be as short as the provider says. */
const pausesBelieved = 3;
/** Beyond so many requests at once the restart is over. */
const rampEnd = 64;

export interface ProviderPause {
  readonly kind: 'throttled' | 'exhausted';
  readonly until: number;
  /** What the provider said. */
  readonly reason: string;
}

/** What is known of a provider: its limits, its pause, and how carefully it is asked after one. */
export class ProviderMeter {
  readonly meter: Meter;
  pause: ProviderPause | undefined;
  /** Counts pauses: a permit of before the last one says nothing of the restart. */
  epoch = 0;
  inFlight = 0;
  /** Of those, let through since the last pause. */
  inFlightOfEpoch = 0;
  /** Requests at once while it restarts; undefined: as many as its limits let through. */
  private ramp: number | undefined;
  /** Pauses since it last had as much as it is asked for. */
  private level = 0;
  /** Pauses without one request between them that went well. */
  private inVain = 0;

  constructor(limits: MeterLimits) {
    this.meter = new Meter(limits);
  }

  /** Whether one more may be under way. */
  hasRoom(at: number): boolean {
    if (this.pause !== undefined && at < this.pause.until) return false;
    if (this.inFlight >= (this.meter.limits.concurrent ?? Infinity)) return false;
    return this.inFlightOfEpoch < (this.ramp ?? Infinity);
  }

  /** When it may be asked again; undefined: now. */
  pausedUntil(at: number): number | undefined {
    return this.pause !== undefined && at < this.pause.until ? this.pause.until : undefined;
  }

  begin(): number {
    this.inFlight += 1;
    this.inFlightOfEpoch += 1;
    return this.epoch;
  }

  end(epoch: number): void {
    this.inFlight -= 1;
    if (epoch === this.epoch) this.inFlightOfEpoch -= 1;
  }

  /** A request of the restart went well: twice as many may follow. */
  wentWell(epoch: number): void {
    this.inVain = 0;
    if (this.ramp === undefined || epoch !== this.epoch) return;
    this.ramp *= 2;
    if (this.ramp < rampEnd) return;
    this.ramp = undefined;
    this.level = 0;
  }

  /** The provider said no: everybody waits, and then begins with one request. */
  refuse(
    at: number,
    epoch: number,
    {
      kind,
      retryAfterMs,
      reason,
    }: { kind: ProviderPause['kind']; retryAfterMs?: number | undefined; reason: string },
  ): void {
    // Requests that were under way together are refused together; that is one refusal, not one after the other.
    const isNew = epoch === this.epoch;
    if (isNew) {
      this.epoch += 1;
      this.inFlightOfEpoch = 0;
      this.level += 1;
      this.inVain += 1;
    }
    const backoffMs = Math.min(pauseMs.most, pauseMs.first * 2 ** (this.level - 1));
    // Who has named times in vain again and again, 0 for example, is not believed: it would be asked without a pause.
    const leastMs = this.inVain > pausesBelieved ? backoffMs : 0;
    const usualMs = kind === 'exhausted' ? pauseMs.exhausted : backoffMs;
    const until = at + Math.max(leastMs, retryAfterMs ?? usualMs);
    this.ramp = 1;
    if (until > (this.pause?.until ?? 0)) this.pause = { kind, until, reason };
  }
}
