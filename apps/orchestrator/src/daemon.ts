import { limits, type Envelope, type PayloadOf, type PeerId, type RunId } from '@switchyard/protocol';
import type { Hub, HubHandler } from '@switchyard/transport';
import { Assignments } from './assignments.ts';
import { answerGate, receiveRequest } from './client-requests.ts';
import { recover } from '@switchyard/history';
import { Dispatch } from './dispatch.ts';
import { Effects } from './effects.ts';
import { logEvent } from './event-lines.ts';
import { Fleet } from './fleet.ts';
import { Loop, type LoopSteps } from './loop.ts';
import { Measures } from './measures.ts';
import { PeerMessages } from './peer-messages.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import { Presence } from './presence.ts';
import { QuotaDesk } from './quota-desk.ts';
import { ReviewDesk } from './review-desk.ts';
import { RunKeeper } from './run-keeper.ts';
import type { RequestContext } from './submit.ts';
import { ClientWatchers } from './watchers.ts';

/** How long an ephemeral orchestrator waits for its first client, and after its last. */
const ephemeralWaitMs = { first: 60_000, last: 1_000 } as const;

/**
 * The orchestrator's loop with its adapters as arguments: the hub hands it messages, the journal keeps its facts.
 */
export class Orchestrator {
  readonly handler: HubHandler;
  readonly loop: Loop;
  private readonly ports: OrchestratorPorts;
  private readonly fleet: Fleet;
  private readonly desk: ReviewDesk;
  private readonly quota: QuotaDesk;
  private readonly dispatch: Dispatch;
  private readonly assignments: Assignments;
  private readonly effects: Effects;
  private readonly messages: PeerMessages;
  private readonly watchers: ClientWatchers;
  private readonly measures: Measures;
  private readonly presence: Presence;
  private readonly requests: RequestContext;
  private readonly abort = new AbortController();
  private readonly finished = new Set<RunId>();
  private hub: Hub | undefined;
  private draining = false;

  constructor(ports: OrchestratorPorts) {
    this.ports = ports;
    const send: Send = (to, type, payload, extra) => this.hub?.send(to, type, payload, extra);
    const { leaseGraceMs: graceMs, deadShownMs } = ports.settings;
    this.fleet = new Fleet(
      ports.clock,
      { graceMs, deadShownMs },
      {
        lost: (peer, reason) => this.presence.lost(peer, reason),
        contact: (change) => this.presence.contactChanged(change),
      },
    );
    this.loop = new Loop(ports, {
      dispatch: () => {
        if (!this.draining) this.dispatch.run();
      },
      committed: (work) => this.committed(work),
      perform: (keeper) => this.perform(keeper),
      publish: (work) => this.publish(work),
      heldReviews: () => this.quota.heldReviews(),
    });
    const shared = { ports, loop: this.loop, fleet: this.fleet, send };
    this.desk = new ReviewDesk(shared);
    this.quota = new QuotaDesk(shared);
    this.dispatch = new Dispatch(ports, {
      loop: this.loop,
      fleet: this.fleet,
      desk: this.desk,
      measuredRpm: (run) => this.quota.measuredRpm(run),
    });
    this.messages = new PeerMessages({ ...shared, desk: this.desk, quota: this.quota });
    this.watchers = new ClientWatchers({ ports, send, waiting: (peer) => this.hub?.waiting(peer) });
    this.measures = new Measures(ports.metrics);
    this.presence = new Presence({
      ...shared,
      desk: this.desk,
      watchers: this.watchers,
      measures: this.measures,
      signal: this.abort.signal,
      hub: () => this.hub,
      isDraining: () => this.draining,
      underWay: (attempt) => this.messages.underWay(attempt),
      lookerLeft: () => this.endLater(),
    });
    this.requests = { ...shared, watchers: this.watchers, signal: this.abort.signal };
    this.assignments = new Assignments({
      ...shared,
      heldMs: (attempt) => this.quota.heldMs(attempt),
    });
    this.effects = new Effects({
      ports,
      loop: this.loop,
      assignments: this.assignments,
      startReview: (keeper, effect) => this.desk.start(keeper, effect),
      finished: (keeper) => this.runFinished(keeper.run),
    });
    this.handler = {
      connected: (peer) => this.presence.connected(peer),
      message: (envelope) => this.message(envelope),
      liveness: (peer, _state, doubt) => {
        this.fleet.liveness(peer.id, doubt);
        this.loop.wake();
      },
      disconnected: (peer) => this.presence.disconnected(peer),
      stalled: (gapMs) => this.presence.stalled(gapMs),
    };
  }

  /**
   * Folds the journal; what the runs owe is performed by the first turn. Throws AppError E_STATE_NEWER and
   * E_STATE_DAMAGED.
   */
  restore(): void {
    const { journal, snapshots: shelf, logger, archivist } = this.ports;
    const recovered = recover({ journal, shelf, logger });
    const keepers = new Map<string, RunKeeper>();
    for (const [run, history] of recovered.histories) keepers.set(run, new RunKeeper(history.run, history));
    archivist?.adopt(recovered);
    for (const keeper of keepers.values()) {
      this.loop.add(keeper);
      for (const [taskId, lease] of keeper.held) this.assignments.watch(keeper, taskId, lease);
      for (const lease of keeper.held.values()) this.fleet.expect(lease.worker, 'worker');
      for (const key of keeper.openReviews) {
        for (const member of keeper.reviews.get(key)?.members.values() ?? []) {
          if (member.phase.kind === 'assigned' || member.phase.kind === 'completing')
            this.fleet.expect(member.phase.reviewer, 'reviewer');
        }
      }
    }
  }

  /** For the API: what a client's `gate-answer` does. */
  answerGate(answer: PayloadOf<'gate-answer'>): Promise<void> {
    return answerGate(answer, this.requests);
  }

  start(hub: Hub): void {
    this.hub = hub;
    this.quota.restored();
    this.loop.wake();
    // Peers come back within this time; only then is it told that one is missing.
    this.ports.clock.after(limits.reconnectMaxMs, () => this.dispatch.startMatching());
    if (this.ports.settings.ephemeral) this.ports.clock.after(ephemeralWaitMs.first, () => this.maybeEnd());
  }

  /** Gives out nothing more; what is out may still come in. */
  drain(): void {
    this.draining = true;
  }

  /** Ends leases' timers and effects; what was decided is kept. */
  async stop(): Promise<void> {
    this.abort.abort(new Error('the orchestrator is shutting down'));
    this.effects.close();
    this.quota.close();
    this.assignments.close();
    this.fleet.close();
    this.watchers.close();
    await this.loop.stop();
    await this.ports.archivist?.close();
  }

  /** A local instance's process has ended: what it held is lost without a grace. */
  instanceEnded(peer: PeerId | undefined, reason: string): void {
    if (peer !== undefined) this.fleet.died(peer, reason);
    this.loop.wake();
  }

  /** How the daemon is, for `/healthz`, `/readyz` and metrics. */
  health(): {
    readonly runs: number;
    readonly activeRuns: number;
    readonly workers: number;
    readonly reviewers: number;
    readonly clients: number;
  } {
    return {
      runs: this.loop.keepers.size,
      activeRuns: [...this.loop.active()].length,
      workers: this.fleet.ready('worker').length,
      reviewers: this.fleet.ready('reviewer').length,
      clients: this.presence.clients,
    };
  }

  private message(envelope: Envelope): void | Promise<void> {
    if (this.messages.receive(envelope)) return undefined;
    const answered = receiveRequest(envelope, this.requests);
    if (answered !== undefined) return answered;
    this.ports.logger.debug(
      { type: envelope.type, from: envelope.from },
      'a message that asks nothing of the orchestrator',
    );
    return undefined;
  }

  private committed({ keeper, pending, seq }: Parameters<LoopSteps['committed']>[0]): void {
    keeper.publishedEvents += pending.events.length;
    if (pending.facts.length > 0)
      this.ports.archivist?.kept({
        history: keeper.history,
        facts: pending.facts.map(({ known }) => known),
        seq,
      });
    this.quota.changed(keeper);
    for (const { taskId, lease, tell } of pending.endedLeases) {
      this.assignments.unwatch(keeper, taskId, lease.fence);
      this.quota.ended(keeper.run, taskId, lease.fence);
      if (!tell) continue;
      const { attempt, fence } = lease;
      this.hub?.send(
        lease.worker,
        'task-cancel',
        { run: keeper.run, taskId, attempt, fence, reason: 'the attempt is not current any more' },
        { fence },
      );
    }
  }

  private publish({ keeper, pending }: Parameters<LoopSteps['publish']>[0]): void {
    this.watchers.published(keeper);
    this.measures.told(pending.events);
    for (const event of pending.events) logEvent(this.ports.logger, event);
  }

  private perform(keeper: RunKeeper): void {
    this.effects.perform(keeper);
    this.desk.perform(keeper);
  }

  private runFinished(run: RunId): void {
    if (this.finished.has(run)) return;
    this.finished.add(run);
    this.endLater();
  }

  private endLater(): void {
    if (this.ports.settings.ephemeral) this.ports.clock.after(ephemeralWaitMs.last, () => this.maybeEnd());
  }

  /** An ephemeral orchestrator ends when every run has its report and nobody looks any more. */
  private maybeEnd(): void {
    const isLooking = this.ports.settings.looking === true;
    const busy = !isLooking && [...this.loop.active()].some((keeper) => keeper.state.paused === undefined);
    if (this.presence.clients > 0 || busy) return;
    const owedReports = [...this.loop.keepers.values()].filter(
      ({ run, ended }) => ended && !this.finished.has(run) && this.ports.reports.find(run) === undefined,
    );
    if (owedReports.length === 0) this.ports.stop('all runs have ended');
  }
}
