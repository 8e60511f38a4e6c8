import type { PeerId, RunId } from '@switchyard/protocol';
import { wantedLabels, type FleetMember, type WorkerOffer } from '@switchyard/scheduler';
import type { Fleet, FleetPeer } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { FleetDemand, OrchestratorPorts } from './ports.ts';
import type { ReviewDesk } from './review-desk.ts';
import type { RunKeeper } from './run-keeper.ts';

interface DispatchParts {
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly desk: ReviewDesk;
  /** Requests to models in the last minute of a run, where that is known. */
  readonly measuredRpm: (run: RunId) => number | undefined;
}

type FreeSlots = Map<PeerId, WorkerOffer>;

/**
 * Leases free slots to runs, oldest run first, and says what the fleet lacks. A turn costs what has changed: a run is
 * asked again only when it or the fleet has something new to say.
 */
export class Dispatch {
  private readonly ports: OrchestratorPorts;
  private readonly loop: Loop;
  private readonly fleet: Fleet;
  private readonly desk: ReviewDesk;
  private readonly measuredRpm: DispatchParts['measuredRpm'];
  /** What each run was last offered, and as which version of itself. */
  private readonly offered = new WeakMap<RunKeeper, string>();
  /** The fleet, and the ready tasks of the run, that each was last matched with. */
  private readonly matched = new WeakMap<RunKeeper, string>();
  /** Of each run: ready tasks that none of the free workers it was offered could take. */
  private readonly unserved = new WeakMap<RunKeeper, number>();
  /** What local workers offer, once one was here. */
  private localLabels: readonly string[] | undefined;
  private mayMatch = false;

  constructor(ports: OrchestratorPorts, parts: DispatchParts) {
    this.ports = ports;
    this.loop = parts.loop;
    this.fleet = parts.fleet;
    this.desk = parts.desk;
    this.measuredRpm = parts.measuredRpm;
  }

  /** From now on tasks are told that nobody can take them; before, the fleet has had no time to come. */
  startMatching(): void {
    this.mayMatch = true;
    this.loop.wake();
  }

  run(): void {
    this.desk.dispatch();
    const free = this.freeSlots();
    for (const keeper of this.loop.active()) if (hasReady(keeper)) this.offer(keeper, free);
    if (this.mayMatch) this.match();
    this.ports.instances.want(this.demand());
  }

  private offer(keeper: RunKeeper, free: FreeSlots): void {
    const offers = [...free.values()].filter((offer) => offer.freeSlots > 0);
    if (offers.length === 0) {
      this.unserved.set(keeper, keeper.state.index.ready.length - keeper.state.index.unmatched.size);
      return;
    }
    const slots = offers.map(({ worker, freeSlots }) => `${worker}:${freeSlots}`).join();
    const measuredRpm = this.measuredRpm(keeper.run);
    const ground = `${keeper.version} ${this.fleet.version} ${slots} ${measuredRpm ?? ''}`;
    if (this.offered.get(keeper) === ground) return;
    this.offered.set(keeper, ground);
    const facts = keeper.input({ at: this.ports.clock.now(), kind: 'offer', offers, measuredRpm });
    if (facts.length > 0) this.loop.takeAlong(keeper);
    for (const fact of facts) {
      if (fact.kind !== 'task-leased') continue;
      const { worker } = fact.lease;
      const offer = free.get(worker);
      if (offer !== undefined) free.set(worker, { ...offer, freeSlots: offer.freeSlots - 1 });
      const entry = this.fleet.get(worker);
      if (entry !== undefined) entry.busy += 1;
    }
    this.unserved.set(keeper, unservedOf(keeper, [...free.values()]));
  }

  /** Says to runs what the fleet offers, so that a task nobody can take does not wait without a word, or for ever. */
  private match(): void {
    const note = this.ports.instances.hindrance('worker');
    const workers = this.fleet.all('worker').filter(({ state }) => state !== 'draining');
    this.localLabels =
      workers.find(({ peer }) => this.ports.instances.isLocal(peer))?.hello.labels ?? this.localLabels;
    const members: FleetMember[] = workers.map(({ hello }) => ({ labels: hello.labels }));
    if (note === undefined) members.push({ labels: this.localLabels });
    const ground = `${this.fleet.version} ${this.localLabels?.join() ?? ''} ${note ?? ''}`;
    for (const keeper of this.loop.active()) {
      if (!hasReady(keeper) || this.matched.get(keeper) === `${keeper.readyVersion} ${ground}`) continue;
      const facts = keeper.input({ at: this.ports.clock.now(), kind: 'fleet', workers: members, note });
      if (facts.length > 0) this.loop.touch(keeper);
      this.matched.set(keeper, `${keeper.readyVersion} ${ground}`);
    }
  }

  private freeSlots(): FreeSlots {
    for (const entry of this.fleet.all('worker')) {
      entry.busy = 0;
      for (const keeper of this.loop.active()) entry.busy += keeper.heldBy.of(entry.peer);
    }
    return new Map(this.fleet.ready('worker').map((entry) => [entry.peer, offerOf(entry)]));
  }

  private demand(): FleetDemand {
    let ready = 0;
    let cap = 0;
    for (const keeper of this.loop.active()) {
      if (keeper.state.paused !== undefined) continue;
      cap += keeper.state.plan.limits.workers;
      if (hasReady(keeper)) ready += this.unserved.get(keeper) ?? 0;
    }
    const idle = (role: 'worker' | 'reviewer') =>
      this.fleet
        .ready(role)
        .filter((entry) => entry.busy === 0)
        .map((entry) => entry.peer);
    return {
      workers: {
        connected: this.fleet.all('worker').length,
        idle: idle('worker'),
        ready,
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

function hasReady({ state }: RunKeeper): boolean {
  return state.index.ready.length > 0;
}

/**
 * Ready tasks that wait for another worker: no slot is free, or none whose worker has their labels. What is left for
 * other reasons (its paths are held, the rate is used up) would not be helped by more workers.
 */
function unservedOf({ state }: RunKeeper, offers: readonly WorkerOffer[]): number {
  const { ready, unmatched } = state.index;
  const free = offers.filter((offer) => offer.freeSlots > 0);
  if (free.length === 0) return ready.length - unmatched.size;
  let count = 0;
  for (const id of ready) {
    const task = state.tasks.get(id)?.task;
    const wanted = task === undefined ? [] : wantedLabels(task, false);
    if (wanted.length === 0) continue; // any free worker serves it
    const isServed = free.some(({ labels }) => wanted.every((label) => labels.includes(label)));
    if (!isServed && !unmatched.has(id)) count += 1;
  }
  return count;
}

function offerOf(entry: FleetPeer): WorkerOffer {
  return {
    worker: entry.peer,
    labels: entry.hello.labels,
    freeSlots: Math.max(0, entry.hello.slots - entry.busy),
  };
}
