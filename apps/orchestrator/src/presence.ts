import type { AttemptKey, PeerId } from '@switchyard/protocol';
import type { ConnectedPeer, Hub } from '@switchyard/transport';
import type { AttemptName } from './attempt-turns.ts';
import { holds, type ContactChange, type Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { Measures } from './measures.ts';
import type { OrchestratorPorts } from './ports.ts';
import type { ReviewDesk } from './review-desk.ts';
import type { RunKeeper } from './run-keeper.ts';
import type { ClientWatchers } from './watchers.ts';

export interface PresenceContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly desk: ReviewDesk;
  readonly watchers: ClientWatchers;
  readonly measures: Measures;
  /** Aborted from the moment the daemon ends. */
  readonly signal: AbortSignal;
  readonly hub: () => Hub | undefined;
  readonly isDraining: () => boolean;
  /** When the reports on an attempt that came so far have been looked at; nothing if none is being. */
  readonly underWay: (attempt: AttemptName) => Promise<void> | undefined;
  /** A client or observer has gone. */
  readonly lookerLeft: () => void;
}

/** What it means for runs and their watchers that a peer comes, goes, is missed or is lost (DESIGN.md sections 6 and 7). */
export class Presence {
  private readonly context: PresenceContext;
  private readonly lookers = new Set<PeerId>();

  constructor(context: PresenceContext) {
    this.context = context;
  }

  /** Clients and observers that are connected. */
  get clients(): number {
    return this.lookers.size;
  }

  /** Answers with the attempts that the peer says it holds, and does not. */
  connected(connection: ConnectedPeer): { fenced: AttemptKey[] } {
    const { fleet, loop, ports, watchers } = this.context;
    const { id: peer, hello } = connection;
    this.measure();
    if (isLooker(hello)) {
      this.lookers.add(peer);
      watchers.arrived(peer);
      return { fenced: [] };
    }
    const local = ports.instances.arrived(peer, hello.pid, hello.host);
    fleet.arrived(peer, hello);
    ports.logger.info(
      { worker: peer, role: hello.role, host: hello.host, pid: hello.pid, local, slots: hello.slots },
      'peer connected',
    );
    if (hello.role === 'worker') this.resumeAttempts(connection);
    else this.resumeReviews(connection);
    for (const keeper of loop.active()) loop.touch(keeper);
    loop.wake();
    return { fenced: hello.holding.filter((key) => !this.isHeldBy(peer, key)) };
  }

  disconnected({ id: peer, hello }: ConnectedPeer): void {
    const { fleet, loop, ports, watchers, lookerLeft } = this.context;
    this.measure();
    if (isLooker(hello)) {
      this.lookers.delete(peer);
      watchers.left(peer);
      lookerLeft();
      return;
    }
    const entry = fleet.get(peer);
    ports.logger.info({ worker: peer, role: hello.role, state: entry?.state }, 'peer disconnected');
    fleet.left(peer);
    loop.wake();
  }

  /** Our own clock jumped or our loop stood still: nobody is judged by that time. */
  stalled(gapMs: number): void {
    const { fleet, ports } = this.context;
    ports.logger.warn({ gapMs }, 'the orchestrator itself stood still; every grace begins anew');
    fleet.extendGraces();
    ports.instances.stalled();
  }

  contactChanged({ peer: worker, was, is, forMs, reason }: ContactChange): void {
    const { isDraining, ports } = this.context;
    // That peers leave an orchestrator that ends is no news of theirs.
    if (is !== 'dead' && !isDraining()) this.tellContact(worker, is === 'alive', reason ?? 'it came back');
    const fields = { worker, was, is, forMs, ...(reason !== undefined && { reason }) };
    if (is === 'alive') ports.logger.info(fields, 'peer is alive again');
    else ports.logger.warn(fields, `peer is ${is}`);
    // A process of ours that lives and is not heard would keep the place of one that is needed now.
    if (is === 'dead') ports.instances.terminate(worker);
  }

  /** What the peer held is lost. */
  lost(peer: PeerId, reason: string): void {
    const { desk, hub, loop, ports } = this.context;
    for (const { keeper, taskId, lease } of this.heldBy(peer)) {
      ports.logger.warn(
        { worker: peer, run: keeper.run, task: taskId, attempt: lease.attempt, reason },
        'attempt lost with its worker',
      );
      this.loseAttempt(keeper, { taskId, fence: lease.fence }, `${peer}: ${reason}`);
    }
    desk.lost(peer);
    // One that is still connected (its main loop stood still) comes back as a new one, and is told what it lost.
    hub()?.disconnect(peer, 'silent');
    loop.wake();
  }

  private isHeldBy(peer: PeerId, { run, taskId, fence }: AttemptKey): boolean {
    const lease = this.context.loop.keepers.get(run)?.held.get(taskId);
    return lease?.worker === peer && lease.fence === fence;
  }

  private *heldBy(peer: PeerId) {
    for (const keeper of this.context.loop.active())
      for (const [taskId, lease] of [...keeper.held])
        if (lease.worker === peer) yield { keeper, taskId, lease };
  }

  /** What a worker had accepted and does not hold any more is lost; what it was only told is told again. */
  private resumeAttempts({ id: peer, hello }: ConnectedPeer): void {
    for (const { keeper, taskId, lease } of this.heldBy(peer)) {
      if (keeper.state.tasks.get(taskId)?.phase.kind === 'leased') continue;
      if (holds(hello, { run: keeper.run, taskId, fence: lease.fence })) continue;
      this.loseAttempt(keeper, { taskId, fence: lease.fence }, `${peer} was restarted`);
    }
  }

  /** What a reviewer had begun and does not hold any more has failed; what it was only told is told again. */
  private resumeReviews({ id: reviewer, hello }: ConnectedPeer): void {
    const { desk, loop, ports } = this.context;
    const at = ports.clock.now();
    const reason = `${reviewer} was restarted`;
    for (const keeper of loop.active()) {
      for (const key of keeper.openReviews) {
        for (const { phase } of [...(keeper.reviews.get(key)?.members.values() ?? [])]) {
          if (phase.kind !== 'completing' || phase.reviewer !== reviewer) continue;
          const { reviewId } = phase;
          if (hello.reviewing.includes(reviewId)) continue;
          desk.input(keeper, key, { at, kind: 'review-failed', reviewId, reviewer, reason });
        }
      }
    }
  }

  /** Runs that have attempts there say so to who watches them. */
  private tellContact(worker: PeerId, isHeard: boolean, reason: string): void {
    const { loop, ports } = this.context;
    const at = ports.clock.now();
    for (const { keeper, taskId, lease } of this.heldBy(worker))
      loop.input(keeper, { at, kind: 'contact', taskId, fence: lease.fence, isHeard, reason });
  }

  /** What has come in of the attempt and is being looked at counts first: it may be its result, or what it had done. */
  private loseAttempt(keeper: RunKeeper, attempt: Omit<AttemptName, 'run'>, reason: string): void {
    const { loop, ports, signal, underWay } = this.context;
    const lose = (): void => {
      if (signal.aborted) return;
      loop.input(keeper, { ...attempt, at: ports.clock.now(), kind: 'lost', reason });
    };
    const looking = underWay({ run: keeper.run, ...attempt });
    if (looking === undefined) lose();
    else void looking.then(lose);
  }

  private measure(): void {
    const { hub, measures } = this.context;
    const connected = hub()?.peers() ?? [];
    for (const role of ['worker', 'reviewer', 'client', 'observer'])
      measures.connected(role, connected.filter((peer) => peer.role === role).length);
  }
}

/** Peers that ask, and work on nothing. */
function isLooker({ role }: ConnectedPeer['hello']): boolean {
  return role === 'client' || role === 'observer';
}
