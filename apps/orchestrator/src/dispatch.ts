import type { WorkerOffer } from '@switchyard/scheduler';
import type { Fleet, FleetPeer } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { FleetDemand, OrchestratorPorts } from './ports.ts';
import type { ReviewDesk } from './review-desk.ts';

/** Leases free slots to runs, oldest run first, and says what the fleet lacks. */
export class Dispatch {
  private readonly ports: OrchestratorPorts;
  private readonly loop: Loop;
  private readonly fleet: Fleet;
  private readonly desk: ReviewDesk;

  constructor(ports: OrchestratorPorts, parts: { loop: Loop; fleet: Fleet; desk: ReviewDesk }) {
    this.ports = ports;
    this.loop = parts.loop;
    this.fleet = parts.fleet;
    this.desk = parts.desk;
  }

  run(): void {
    this.desk.dispatch();
    const free = this.freeSlots();
    for (const keeper of this.loop.active()) {
      const before = new Map(keeper.held);
      const offers = [...free.values()].filter((offer) => offer.freeSlots > 0);
      const facts = keeper.input({ at: this.ports.clock.now(), kind: 'offer', offers });
      if (facts.length === 0) continue;
      this.loop.touch(keeper);
      for (const [taskId, lease] of keeper.held) {
        if (before.get(taskId)?.fence === lease.fence) continue;
        const offer = free.get(lease.worker);
        if (offer !== undefined) free.set(lease.worker, { ...offer, freeSlots: offer.freeSlots - 1 });
      }
    }
    this.ports.instances.want(this.demand(free));
  }

  private freeSlots(): Map<string, WorkerOffer> {
    for (const entry of this.fleet.all('worker')) entry.busy = 0;
    for (const keeper of this.loop.active()) {
      for (const lease of keeper.held.values()) {
        const entry = this.fleet.get(lease.worker);
        if (entry !== undefined) entry.busy += 1;
      }
    }
    return new Map(this.fleet.ready('worker').map((entry) => [entry.peer, offerOf(entry)]));
  }

  private demand(free: ReadonlyMap<string, WorkerOffer>): FleetDemand {
    let ready = 0;
    let cap = 0;
    for (const keeper of this.loop.active()) {
      if (keeper.state.paused !== undefined) continue;
      cap += keeper.state.plan.limits.workers;
      for (const task of keeper.state.tasks.values()) {
        if (task.phase.kind === 'ready' && task.task.kind !== 'review' && task.task.kind !== 'manual')
          ready += 1;
      }
    }
    const slots = [...free.values()].reduce((sum, offer) => sum + Math.max(0, offer.freeSlots), 0);
    const idle = (role: 'worker' | 'reviewer') =>
      this.fleet
        .ready(role)
        .filter((entry) => entry.busy === 0)
        .map((entry) => entry.peer);
    return {
      workers: {
        connected: this.fleet.all('worker').length,
        idle: idle('worker'),
        ready: Math.max(0, ready - slots),
        cap,
      },
      reviewers: {
        connected: this.fleet.all('reviewer').length,
        idle: idle('reviewer'),
        ready: this.desk.waiting(),
      },
    };
  }
}

function offerOf(entry: FleetPeer): WorkerOffer {
  return {
    worker: entry.peer,
    labels: entry.hello.labels,
    freeSlots: Math.max(0, entry.hello.slots - entry.busy),
  };
}
