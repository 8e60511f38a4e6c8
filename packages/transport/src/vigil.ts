import { limits, type Lane, type PayloadOf } from '@switchyard/protocol';
import type { Doubt, HubOptions } from './hub-interface.ts';
import { Ticker } from './pulse.ts';
import type { Session } from './session.ts';

export interface VigilOptions extends Pick<
  HubOptions,
  'clock' | 'logger' | 'handler' | 'progress' | 'unverifiableAfterMs' | 'silentAfterMs' | 'hungAfterMs'
> {
  readonly intervalMs: number;
  readonly sessions: () => Iterable<Session>;
  /** Sends a heartbeat. */
  readonly beat: (session: Session, progress: number) => void;
  /** Ends a session that was silent too long. */
  readonly drop: (session: Session) => void;
}

/** Sends the hub's heartbeats and judges those of its peers, unless it was itself held up. */
export class Vigil {
  private readonly options: VigilOptions;
  private readonly ticker: Ticker;
  private turns = 0;

  constructor(options: VigilOptions) {
    this.options = options;
    this.ticker = new Ticker({
      clock: options.clock,
      intervalMs: options.intervalMs,
      onTick: (mayJudge) => this.tick(mayJudge),
      onStall: (loopMs, wallMs) => this.stalled(loopMs, wallMs),
    });
  }

  stop(): void {
    this.ticker.stop();
  }

  /** A heartbeat came. It can only better what is thought of its peer: ill is judged by the clock. */
  beat(session: Session, { progress, freeSlots }: PayloadOf<'heartbeat'>, lane: Lane): void {
    const now = this.options.clock.monotonic();
    if (lane === 'heartbeat') session.signs.beatOfThread(progress, now);
    else {
      session.freeSlots = freeSlots;
      session.signs.beat(progress, now);
    }
    const doubt = this.doubtOf(session, now);
    if (severity(doubt) < severity(session.doubt)) this.setDoubt(session, doubt);
  }

  private tick(mayJudge: boolean): void {
    this.turns += 1;
    const progress = this.options.progress?.() ?? this.turns;
    for (const session of this.options.sessions()) {
      if (mayJudge) this.judge(session);
      this.options.beat(session, progress);
    }
  }

  private judge(session: Session): void {
    const now = this.options.clock.monotonic();
    if (session.signs.silentMs(now) >= (this.options.silentAfterMs ?? limits.leaseGraceMs))
      return this.options.drop(session);
    const doubt = this.doubtOf(session, now);
    if (doubt !== undefined) this.setDoubt(session, doubt);
  }

  private doubtOf({ signs }: Session, nowMs: number): Doubt | undefined {
    const { unverifiableAfterMs, hungAfterMs } = this.options;
    return signs.doubt(nowMs, {
      silentMs: unverifiableAfterMs ?? limits.unverifiableAfterMs,
      hungMs: hungAfterMs ?? limits.hungAfterMs,
    });
  }

  private setDoubt(session: Session, doubt: Doubt | undefined): void {
    if (session.doubt === doubt) return;
    session.doubt = doubt;
    const { id: peer, liveness: state } = session;
    this.options.logger.warn({ peer, state, doubt }, 'peer liveness changed');
    this.options.handler.liveness(session, state, doubt);
  }

  private stalled(loopMs: number, wallMs: number): void {
    this.options.logger.warn({ loopMs, wallMs }, 'own clock or loop stood still; nobody is judged for it');
    for (const session of this.options.sessions()) session.signs.extend(loopMs);
    this.options.handler.stalled?.(Math.round(Math.max(loopMs, wallMs)));
  }
}

/** Both of the latter put what a peer holds in danger. */
function severity(doubt: Doubt | undefined): number {
  return doubt === undefined ? 0 : doubt === 'held-up' ? 1 : 2;
}
