import type { Doubt } from './hub-interface.ts';
import { Pulse } from './pulse.ts';

/** How long each may last until a peer is in doubt. */
export interface Patience {
  /** Nothing is heard, or a main loop stands still. */
  readonly silentMs: number;
  /** A main loop stands still while its process is known to live. */
  readonly hungMs: number;
}

/**
 * What the hub hears of one peer. Its main loop speaks on the control lane; a thread that its work cannot hold up may
 * speak on a heartbeat lane, and say how far the main loop has come.
 *
 * Invariants: (1) while the thread is heard, a main loop that stands still is no silence; (2) without the thread (an
 * older peer, a lane that is cut) the control lane alone counts; (3) a main loop that turns, by the word of its thread,
 * and is not heard on the control lane is silent: that lane is broken.
 */
export class SignsOfLife {
  private readonly loop: Pulse;
  private thread: Pulse | undefined;

  constructor(nowMs: number) {
    this.loop = new Pulse(nowMs);
  }

  /** Something came on the control lane. */
  heard(nowMs: number): void {
    this.loop.heard(nowMs);
  }

  /** A heartbeat came on the control lane. */
  beat(progress: number, nowMs: number): void {
    this.loop.beat(progress, nowMs);
  }

  /** A heartbeat lane has been opened. */
  threadArrived(nowMs: number): void {
    if (this.thread === undefined) this.thread = new Pulse(nowMs);
    else this.thread.heard(nowMs);
  }

  /** A heartbeat came on the heartbeat lane. */
  beatOfThread(progress: number, nowMs: number): void {
    this.thread ??= new Pulse(nowMs);
    const sinceLastMs = this.thread.silentMs(nowMs);
    if (!this.thread.beat(progress, nowMs)) this.loop.forgiveSilence(sinceLastMs);
  }

  /** How long the main loop could have been heard, and was not. */
  silentMs(nowMs: number): number {
    return this.loop.silentMs(nowMs);
  }

  /** Why this peer is in doubt; undefined: it is not. */
  doubt(nowMs: number, { silentMs, hungMs }: Patience): Doubt | undefined {
    const { loop, thread } = this;
    const isSilent = loop.silentMs(nowMs) >= silentMs;
    if (thread === undefined || thread.silentMs(nowMs) >= silentMs) {
      if (loop.stillMs(nowMs) < silentMs) return undefined;
      return isSilent ? 'silent' : 'hung';
    }
    const stillMs = thread.stillMs(nowMs);
    if (stillMs >= silentMs) return stillMs >= hungMs ? 'hung' : 'held-up';
    return isSilent ? 'silent' : undefined;
  }

  /** Forgives time in which we could not have heard it. */
  extend(gapMs: number): void {
    this.loop.extend(gapMs);
    this.thread?.extend(gapMs);
  }
}
