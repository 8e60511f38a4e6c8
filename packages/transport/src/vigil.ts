import { limits, type PayloadOf } from '@switchyard/protocol';
import type { HubOptions, Liveness } from './hub-interface.ts';
import { Ticker } from './pulse.ts';
import type { Session } from './session.ts';

export interface VigilOptions extends Pick<
  HubOptions,
  'clock' | 'logger' | 'handler' | 'progress' | 'unverifiableAfterMs' | 'silentAfterMs'
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

  /** A heartbeat came. */
  beat(session: Session, { progress, freeSlots }: PayloadOf<'heartbeat'>): void {
    session.freeSlots = freeSlots;
    const moved = session.pulse.beat(progress, this.options.clock.monotonic());
    if (moved) this.setLiveness(session, 'alive');
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
    if (session.pulse.silentMs(now) >= (this.options.silentAfterMs ?? limits.leaseGraceMs))
      return this.options.drop(session);
    if (session.pulse.stillMs(now) >= (this.options.unverifiableAfterMs ?? limits.unverifiableAfterMs))
      this.setLiveness(session, 'unverifiable');
  }

  private setLiveness(session: Session, state: Liveness): void {
    if (session.liveness === state) return;
    session.liveness = state;
    this.options.logger.warn({ peer: session.id, state }, 'peer liveness changed');
    this.options.handler.liveness(session, state);
  }

  private stalled(loopMs: number, wallMs: number): void {
    this.options.logger.warn({ loopMs, wallMs }, 'own clock or loop stood still; nobody is judged for it');
    for (const session of this.options.sessions()) session.pulse.extend(loopMs);
    this.options.handler.stalled?.(Math.round(Math.max(loopMs, wallMs)));
  }
}
