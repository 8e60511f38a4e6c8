/** What may be sent in any minute, and at once; absent: as much as is wanted. */
export interface MeterLimits {
  readonly rpm?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrent?: number | undefined;
}

/** One request that was let through. */
export interface Slot {
  /** From when on no window of a minute can have both it and a request that is let through then. */
  readonly freeAt: number;
  readonly tokens: number;
}

/**
 * Requests of the last minute under one limit.
 *
 * A slot counts until a minute after the last moment at which it may reach the server. So whichever window of a minute is
 * looked at there: when the request of it that was let through last was let through, all others of the window counted.
 */
export class Meter {
  limits: MeterLimits;
  /** In the order in which they come free. */
  private slots: Slot[] = [];
  private tokens = 0;
  /** What was sent before is not known: nothing is until then. */
  private blockedUntil = 0;

  constructor(limits: MeterLimits) {
    this.limits = limits;
  }

  /** The first moment from `at` on at which a request of so many tokens may be sent. */
  earliest(at: number, tokens: number): number {
    this.forget(at);
    const { rpm = Infinity, tokensPerMinute = Infinity } = this.limits;
    let requests = this.slots.length;
    let used = this.tokens;
    let moment = Math.max(at, this.blockedUntil);
    for (const slot of this.slots) {
      // One that is larger than the whole limit goes when it is alone: it must not wait for ever.
      if (requests < rpm && (used + tokens <= tokensPerMinute || requests === 0)) return moment;
      requests -= 1;
      used -= slot.tokens;
      moment = Math.max(moment, slot.freeAt);
    }
    return moment;
  }

  add(slot: Slot): void {
    let at = this.slots.length;
    while (at > 0 && (this.slots[at - 1]?.freeAt ?? 0) > slot.freeAt) at -= 1;
    this.slots.splice(at, 0, slot);
    this.tokens += slot.tokens;
  }

  /** Somebody may have sent as much as there may be, and nobody here knows of it. */
  block(until: number): void {
    this.blockedUntil = until;
  }

  /** It was not used. */
  remove(slot: Slot): void {
    const at = this.slots.indexOf(slot);
    if (at < 0) return;
    this.slots.splice(at, 1);
    this.tokens -= slot.tokens;
  }

  /** More is known of it now. */
  replace(slot: Slot, known: Slot): void {
    if (!this.slots.includes(slot)) return;
    this.remove(slot);
    this.add(known);
  }

  /** Requests that count now. */
  requests(at: number): number {
    this.forget(at);
    return this.slots.length;
  }

  private forget(at: number): void {
    let gone = 0;
    for (const slot of this.slots) {
      if (slot.freeAt > at) break;
      gone += 1;
      this.tokens -= slot.tokens;
    }
    if (gone > 0) this.slots = this.slots.slice(gone);
  }
}
