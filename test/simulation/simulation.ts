import { AppError, peerId } from '@switchyard/protocol';
import type { Channel } from '@switchyard/transport';
import { GitDisk } from './git-disk.ts';
import { Invariants } from './invariants.ts';
import { JournalDisk } from './journal-disk.ts';
import { Network, type Ends } from './network.ts';
import { Patience } from './patience.ts';
import { SimPeer } from './peers.ts';
import { Person } from './person.ts';
import type { Plant } from './plants.ts';
import { faultsEndMs, mendedMs, type Fault, type Scenario } from './scenario.ts';
import { SimOrchestrator } from './sim-orchestrator.ts';
import { jumpMs, strike } from './strike.ts';
import type { Surroundings } from './surroundings.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly digest: string;
  readonly trace: readonly string[];
  readonly events: number;
  readonly virtualMs: number;
}

export interface PlayOptions {
  readonly plant?: Plant | undefined;
  /** The trace has every message; its digest is another one then. */
  readonly verbose?: boolean;
}

/** More events than any run needs: something spins. */
const stepsMax = 3_000_000;

/** Production daemons in one world of one seed. */
export class Simulation implements Surroundings {
  readonly scenario: Scenario;
  readonly plant: Plant | undefined;
  readonly world: World;
  readonly network: Network;
  readonly journal: JournalDisk;
  readonly git: GitDisk;
  readonly invariants: Invariants;
  readonly orchestrator: SimOrchestrator;
  readonly peers: readonly SimPeer[];
  readonly person: Person;
  private readonly patience: Patience;
  private violation: string | undefined;

  constructor(scenario: Scenario, { plant, verbose = false }: PlayOptions = {}) {
    const { seed, isBlocking, workers, reviewers } = scenario;
    this.scenario = scenario;
    this.plant = plant;
    this.world = new World(seed, verbose);
    this.network = new Network(this.world);
    this.journal = new JournalDisk(this.world, {
      isBlocking,
      early: plant === 'acknowledge-before-journal',
      ownerless: plant === 'no-owner-check',
    });
    this.git = new GitDisk(this.world, { careless: plant === 'careless-merge' });
    const offers = new Map(workers.map((shape) => [peerId.parse(shape.name), shape]));
    this.invariants = new Invariants({
      journal: this.journal,
      git: this.git,
      offeredBy: (worker) => offers.get(worker),
      applies: () => this.person.applies,
    });
    this.orchestrator = new SimOrchestrator(this);
    this.peers = [
      ...workers.map((shape) => new SimPeer(this, 'worker', shape)),
      ...reviewers.map((shape) => new SimPeer(this, 'reviewer', shape)),
    ];
    this.person = new Person(this);
    this.patience = new Patience(this);
  }

  /** Lets it all happen, to the end of the runs or the first violation. */
  async play(): Promise<Outcome> {
    const { world, scenario } = this;
    const start = world.nowMs;
    for (const fault of scenario.faults) world.after(fault.atMs, '', () => this.strike(fault));
    world.after(mendedMs, 'everything is mended', () => this.mend());
    try {
      await this.untilEnded(start);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation = error.message;
    }
    if (this.violation !== undefined) world.note(`VIOLATION ${this.violation}`);
    const { seed } = scenario;
    const { trace, events } = world;
    const virtualMs = world.nowMs - start;
    return { seed, violation: this.violation, digest: world.digest(), trace, events, virtualMs };
  }

  violate(text: string): void {
    this.violation ??= text;
  }

  isUp(): boolean {
    return this.orchestrator.isUp;
  }

  async dial(ends: Omit<Ends, 'hubLife'>): Promise<Channel> {
    await this.world.pass(this.world.between(1, 20), '', ends.peerLife);
    const channel = this.orchestrator.accept(ends);
    if (channel === undefined) throw new AppError('E_UNREACHABLE', 'nobody listens');
    return channel;
  }

  private async untilEnded(start: number): Promise<void> {
    const { world, invariants } = this;
    for (let steps = 0; steps < stepsMax; steps += 1) {
      if (!(await world.step())) break;
      invariants.check(this.peers.flatMap(({ disks }) => disks));
      if (this.violation !== undefined) return;
      // What is down has no memory: the process that comes after it has.
      if (world.nowMs - start > faultsEndMs && this.isUp() && this.haveEnded())
        return this.patience.checkMemory();
      if (this.patience.isOver(world.nowMs - start)) break;
    }
    const open = [...invariants.runs.values()].filter(({ ended }) => !ended);
    const why = open.length === 0 ? 'a plan has no run' : open.map((run) => run.waitsFor()).join('; ');
    throw new Violation(`8: a run does not end: ${why}`);
  }

  private haveEnded(): boolean {
    return this.person.isServed && [...this.invariants.runs.values()].every(({ ended }) => ended);
  }

  private strike(fault: Fault): void {
    if (fault.kind === 'clock' && fault.target === 'orchestrator') this.patience.clockSet(jumpMs(fault));
    strike(this, fault);
  }

  private mend(): void {
    this.network.heal();
    this.orchestrator.mend();
  }
}

/** Plays one scenario. */
export function play(scenario: Scenario, options: PlayOptions = {}): Promise<Outcome> {
  return new Simulation(scenario, options).play();
}
