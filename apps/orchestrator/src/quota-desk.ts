import {
  type AttemptKey,
  type Envelope,
  type PeerId,
  type PermitWant,
  type ReviewId,
  type RunId,
  type Spender,
} from '@switchyard/protocol';
import { HoldTimes } from '@switchyard/agents';
import { Quota, unknownMs, type QuotaGrant, type QuotaTurn } from '@switchyard/scheduler';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';
import { ModelMeasures } from './model-measures.ts';
import { dayOf, dayPurse, nextDay, runPurse, SpendingBook, taskPurse } from './spending-book.ts';
import { isHeldBy, spenderName } from './spender-name.ts';

interface QuotaDeskContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly send: Send;
}

interface Asker {
  readonly peer: PeerId;
  readonly attempt: string;
  /** Whose wait it is: the attempt's, or the review's, however often its reviewer begins anew. */
  readonly holder: string;
}
interface Sitting {
  readonly peer: PeerId;
  readonly spender: Spender;
}
type Echo = NonNullable<Envelope<'permit-grant'>['payload']['echo']>;

/** How long what attempts use may be known to memory alone: one fact then has all of it. */
const keepMs = 5_000;

/**
 * Where the gateways of workers and reviewers ask: gives out slots of the fleet's quota, counts what is used, and pauses
 * runs whose money is spent or whose provider has nothing left. Where nobody asks it costs nothing: no timer, no fact.
 */
export class QuotaDesk {
  private readonly context: QuotaDeskContext;
  private readonly quota: Quota;
  private readonly book: SpendingBook;
  /** Who waits for a slot, by request. */
  private readonly askers = new Map<string, Asker>();
  private readonly measures: ModelMeasures;
  /** For how long attempts and reviews had something waiting. */
  private readonly holds = new HoldTimes();
  /** Reviews that ask, by sitting. */
  private readonly sittings = new Map<string, Sitting>();
  private readonly echoes = new Map<PeerId, Echo>();
  private cancelTurn: (() => void) | undefined;
  private cancelKeep: (() => void) | undefined;
  private isTurning = false;

  constructor(context: QuotaDeskContext) {
    this.context = context;
    const { settings } = context.ports;
    this.measures = new ModelMeasures(context.ports.metrics);
    this.quota = new Quota(settings.models?.quotas ?? {});
    this.book = new SpendingBook(this.quota, context.loop, settings.models?.budgetUsdPerDay);
  }

  /** An orchestrator before this one may have let requests through in the last minute: runs that used models go on. */
  restored(): void {
    const { loop, ports } = this.context;
    for (const { state } of loop.active()) {
      const { active, reviewing } = state.index;
      if (state.spentOn === undefined || active.size + reviewing.size === 0) continue;
      const providers = this.quota.begin(ports.clock.monotonic());
      if (providers.length > 0)
        ports.logger.info(
          { providers, waitMs: unknownMs },
          'what was sent before the restart is not known; providers with a limit are asked again when its minute is over',
        );
      return;
    }
  }

  /** Takes what is said of models; true: the message is about nothing else. */
  receive(envelope: Envelope): boolean {
    const { from } = envelope;
    switch (envelope.type) {
      case 'permit-request':
        this.asked(from, envelope.payload);
        return true;
      case 'usage-report':
        this.reported(from, envelope.payload);
        return true;
      case 'task-completed':
      case 'task-failed':
      case 'task-lost':
      case 'escalation': {
        const { usage } = envelope.payload;
        if (usage === undefined) return false;
        this.measures.used(spenderName(envelope.payload), usage);
        const keeper = this.book.note(from, envelope.payload, usage);
        // Kept before its attempt is over.
        if (keeper !== undefined) this.keep();
        return false;
      }
      default:
        return false;
    }
  }

  /** An attempt is not its worker's any more. */
  ended(run: RunId, taskId: AttemptKey['taskId'], fence: AttemptKey['fence']): void {
    if (!this.book.knows(run)) return;
    const name = spenderName({ run, taskId, fence });
    this.drop(name);
    this.holds.forget(name);
  }

  /** For how long requests of an attempt had to wait so far, in milliseconds. */
  heldMs(attempt: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>): number {
    return this.holds.of(spenderName(attempt), this.context.ports.clock.monotonic());
  }

  /** The same for each review that asks for a model. */
  heldReviews(): ReadonlyMap<ReviewId, number> {
    const now = this.context.ports.clock.monotonic();
    const ids = [...this.sittings.values()].flatMap(({ spender: { review } }) => review?.reviewId ?? []);
    return new Map(ids.map((id) => [id, this.holds.of(id, now)]));
  }

  private leave(id: string): void {
    const asker = this.askers.get(id);
    if (asker === undefined) return;
    this.askers.delete(id);
    this.holds.end(asker.holder, this.context.ports.clock.monotonic());
  }

  private drop(name: string): void {
    this.book.dropped(name);
    for (const [id, { attempt }] of [...this.askers]) if (attempt === name) this.leave(id);
    this.wake();
  }

  /** The journal has something new of a run: it may have been paused, resumed or ended. */
  changed(keeper: RunKeeper): void {
    if (!this.book.knows(keeper.run)) return;
    this.endSittings(keeper);
    if (keeper.ended) this.book.forget(keeper.run);
    else if (!this.quota.isIdle) this.wake();
  }

  /** Reviews that were settled, or given to another, ask for nothing more. */
  private endSittings(keeper: RunKeeper): void {
    for (const [name, { peer, spender }] of [...this.sittings]) {
      if (spender.run !== keeper.run || (!keeper.ended && isHeldBy(peer, keeper, spender))) continue;
      this.sittings.delete(name);
      this.drop(name);
      if (spender.review !== undefined) this.holds.forget(spender.review.reviewId);
    }
  }

  /** A reviewer that was restarted begins its review again: what it did before is over. */
  private sit(peer: PeerId, keeper: RunKeeper, spender: Spender): void {
    const name = spenderName(spender);
    if (spender.review === undefined || this.sittings.has(name)) return;
    for (const [other, { spender: before }] of [...this.sittings]) {
      if (before.review?.reviewId !== spender.review.reviewId) continue;
      this.sittings.delete(other);
      this.drop(other);
    }
    this.sittings.set(name, { peer, spender });
    this.book.sat(peer, keeper, spender);
  }

  /** Requests of the last minute; undefined: nobody of the run has asked for a model, so nothing is known. */
  measuredRpm(run: RunId): number | undefined {
    return this.book.knows(run)
      ? this.quota.requestsOf(run, this.context.ports.clock.monotonic())
      : undefined;
  }

  close(): void {
    this.cancelTurn?.();
    this.keep();
  }

  private asked(from: PeerId, { sentAt, wants }: Envelope<'permit-request'>['payload']): void {
    this.echoes.set(from, { sentAt, receivedAt: this.context.ports.clock.monotonic() });
    const refused: { id: string; reason: string }[] = [];
    for (const want of wants) {
      const keeper = this.holder(from, want);
      if (keeper === undefined) refused.push({ id: want.id, reason: notCurrent(want) });
      else this.queue(from, keeper, want);
    }
    if (refused.length > 0) this.answer(from, [], refused);
    this.wake();
  }

  private holder(from: PeerId, spender: Spender): RunKeeper | undefined {
    const keeper = this.context.loop.keepers.get(spender.run);
    return keeper !== undefined && isHeldBy(from, keeper, spender) ? keeper : undefined;
  }

  private queue(peer: PeerId, keeper: RunKeeper, want: PermitWant): void {
    const { id, run, taskId, attempt: number, fence, review, provider, tokens, microUsd, tries } = want;
    this.book.open(keeper);
    const spender = { run, taskId, attempt: number, fence, review };
    const attempt = spenderName(spender);
    this.sit(peer, keeper, spender);
    const holder = review?.reviewId ?? attempt;
    // One that is asked for again, on another connection, has waited since before.
    if (!this.askers.has(id)) this.holds.begin(holder, this.context.ports.clock.monotonic());
    this.askers.set(id, { peer, attempt, holder });
    this.measures.asked(id, provider);
    this.quota.ask({
      id,
      attempt,
      run,
      provider,
      tokens,
      microUsd,
      purses: [runPurse(run), taskPurse(run, taskId), dayPurse],
      tries,
    });
  }

  private reported(from: PeerId, payload: Envelope<'usage-report'>['payload']): void {
    const { attempts, settled, arrived, withdrawn } = payload;
    const { clock, logger } = this.context.ports;
    for (const { usage, ...attempt } of attempts) {
      this.measures.used(spenderName(attempt), usage);
      this.book.note(from, attempt, usage);
    }
    for (const id of arrived) this.quota.arrived(id, clock.monotonic());
    for (const { id, kind, reason, ...rest } of settled) {
      this.measures.settled({ id, kind, tokens: rest.tokens });
      this.quota.settle(id, { kind, reason, ...rest }, clock.monotonic());
      if (kind === 'throttled' || kind === 'exhausted')
        logger.warn({ peer: from, kind, reason, retryAfterMs: rest.retryAfterMs }, 'a provider asks to wait');
    }
    for (const id of withdrawn) {
      this.measures.withdrawn(id);
      this.quota.withdraw(id);
      this.leave(id);
    }
    if (this.book.hasNews) this.cancelKeep ??= clock.after(keepMs, () => this.keep());
    this.wake();
  }

  /** All that arrives in one turn of the event loop is looked at together. */
  private wake(): void {
    if (this.isTurning) return;
    this.isTurning = true;
    queueMicrotask(() => {
      this.isTurning = false;
      this.turn();
    });
  }

  private turn(): void {
    const { clock } = this.context.ports;
    this.cancelTurn?.();
    this.cancelTurn = undefined;
    this.book.setDay(dayOf(clock.now()));
    const turn = this.quota.turn(clock.monotonic());
    this.give(turn.grants);
    this.measures.waits(this.askers.size);
    this.pauseUnpaid(turn);
    this.pauseParked(turn);
    if (turn.nextAt === undefined) return;
    const delayMs = Math.max(1, Math.ceil(turn.nextAt - clock.monotonic()));
    this.cancelTurn = clock.after(delayMs, () => this.turn());
  }

  private give(grants: readonly QuotaGrant[]): void {
    const byPeer = new Map<PeerId, QuotaGrant[]>();
    for (const grant of grants) {
      const asker = this.askers.get(grant.want.id);
      this.leave(grant.want.id);
      if (asker === undefined) throw new Error(`nobody asked for ${grant.want.id}`);
      byPeer.set(asker.peer, [...(byPeer.get(asker.peer) ?? []), grant]);
    }
    for (const [peer, all] of byPeer)
      this.answer(
        peer,
        all.map(({ want: { id }, notBefore, expires }) => ({ id, notBefore, expires })),
      );
  }

  private answer(
    peer: PeerId,
    permits: Envelope<'permit-grant'>['payload']['permits'],
    refused: Envelope<'permit-grant'>['payload']['refused'] = [],
  ): void {
    const echo = this.echoes.get(peer);
    const now = this.context.ports.clock.monotonic();
    this.context.send(peer, 'permit-grant', { now, ...(echo !== undefined && { echo }), permits, refused });
  }

  /** What has been spent is in the journal before the pause that it is the reason of. */
  private pauseUnpaid({ unpaid }: QuotaTurn): void {
    const said = new Set<string>();
    for (const { want, purse } of unpaid) {
      const keeper = this.pausable(want.run, said);
      if (keeper === undefined) continue;
      this.keep();
      const at = this.context.ports.clock.now();
      const until = purse === dayPurse ? nextDay(at) : undefined;
      const reason = this.book.unpaidText(keeper, purse);
      this.context.loop.input(keeper, { at, kind: 'spent', cause: 'budget', reason, until });
    }
  }

  private pauseParked({ parked }: QuotaTurn): void {
    const said = new Set<string>();
    for (const { want, pause } of parked) {
      const keeper = this.pausable(want.run, said);
      if (keeper === undefined) continue;
      const { clock } = this.context.ports;
      const at = clock.now();
      const until = at + Math.max(0, Math.ceil(pause.until - clock.monotonic()));
      const reason = `the quota of ${want.provider} is used up (${pause.reason}); its requests wait`;
      this.context.loop.input(keeper, { at, kind: 'spent', cause: 'quota', reason, until });
    }
  }

  /** A run that is told once a turn, and not again while it is paused. */
  private pausable(run: string, said: Set<string>): RunKeeper | undefined {
    if (said.has(run)) return undefined;
    said.add(run);
    const keeper = this.book.keeperOf(run);
    return keeper?.state.paused === undefined ? keeper : undefined;
  }

  /** Hands what attempts and reviews have used to their runs, one fact each. */
  private keep(): void {
    this.cancelKeep?.();
    this.cancelKeep = undefined;
    const { clock } = this.context.ports;
    for (const { keeper, input } of this.book.takeNews())
      this.context.loop.input(keeper, { at: clock.now(), ...input });
    // The rate of a run falls while nobody asks: who waits for it is looked at again.
    if (!this.book.isAnyRateAware(clock.monotonic())) return;
    this.context.loop.wake();
    this.cancelKeep = clock.after(keepMs, () => this.keep());
  }
}

function notCurrent({ review }: Spender): string {
  return `the ${review === undefined ? 'attempt' : 'review'} is not current`;
}
