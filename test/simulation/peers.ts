import { messageOf, peerId, type AppError, type PeerId } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import type { Outbox } from '@switchyard/store';
import {
  createLink,
  heartbeatsOn,
  type Dial,
  type Heartbeats,
  type Link,
  type LinkOptions,
} from '@switchyard/transport';
import { ReviewerDaemon } from '../../apps/reviewer/src/daemon.ts';
import { WorkerDaemon } from '../../apps/worker/src/daemon.ts';
import { newerVersion, olderVersion, sameVersion, type Lens } from './frames.ts';
import { roomOf } from './labour.ts';
import { OutboxDisk } from './outbox-disk.ts';
import type { Shape } from './scenario.ts';
import type { Surroundings } from './surroundings.ts';
import { workshopOf, type AttemptFolders } from './workshop.ts';
import { Life, Machine } from './world.ts';

type Daemon = WorkerDaemon | ReviewerDaemon;
type LinkShape = Pick<LinkOptions, 'hello' | 'handler'> & { readonly freeSlots: () => number };

const logger = silentLogger();
const restartMs = 1_000;

/** A machine of a peer, with its disk. */
interface Place {
  readonly machine: Machine;
  readonly disk: OutboxDisk;
  readonly folders: AttemptFolders;
}

/** A worker or a reviewer: its machine and its disk outlive its lives. */
export class SimPeer {
  readonly shape: Shape;
  readonly role: 'worker' | 'reviewer';
  readonly self: PeerId;
  life: Life;
  /** It breaks the table, or has a twin: the hub may refuse it for good. */
  isAccused = false;
  /** Disks of all machines it has been on. */
  readonly disks: OutboxDisk[] = [];
  private readonly sim: Surroundings;
  private place: Place;
  private daemon: Daemon | undefined;

  constructor(sim: Surroundings, role: 'worker' | 'reviewer', shape: Shape) {
    this.sim = sim;
    this.role = role;
    this.shape = shape;
    this.self = peerId.parse(shape.name);
    this.place = this.newPlace();
    this.life = new Life(this.place.machine);
    this.start();
  }

  get name(): string {
    return this.shape.name;
  }

  get disk(): OutboxDisk {
    return this.place.disk;
  }

  /** The process ends, and another one comes after a time; with its machine, what was not synced is gone. */
  crash(forMs: number, withMachine: boolean): void {
    if (this.life.alive) this.end(forMs, withMachine);
  }

  /** It is asked to end in order, and another one comes after a time. */
  drain(forMs: number): void {
    const { daemon, life } = this;
    if (!life.alive || daemon === undefined) return;
    void daemon.drain('it is updated').then(() => {
      if (this.life === life && life.alive) this.end(forMs, false);
    });
  }

  /** Another process of its name begins on another machine; this one stands still, and comes back. */
  twin(forMs: number): void {
    const { life, sim } = this;
    if (!life.alive) return;
    life.stalledUntil = sim.world.nowMs + forMs;
    this.place = this.newPlace();
    this.start();
    this.isAccused = true;
  }

  private newPlace(): Place {
    const disk = new OutboxDisk(this.sim.world, this.name);
    this.disks.push(disk);
    return { machine: new Machine(this.name), disk, folders: new Map() };
  }

  private end(restartAfterMs: number, withMachine: boolean): void {
    const { life, place, sim } = this;
    life.alive = false;
    if (withMachine) place.disk.files.losePower();
    else place.disk.files.endProcess();
    sim.network.ended(life, withMachine);
    sim.world.after(restartAfterMs, `${this.name} starts again`, () => {
      if (this.life === life) this.start();
    });
  }

  /** A new process with only its disk. */
  private start(): void {
    const { sim, name } = this;
    const { disk, machine } = this.place;
    const life = new Life(machine);
    this.life = life;
    this.isAccused = false;
    let outbox: Outbox;
    try {
      outbox = disk.open(life, sim.plant === 'outbox-cleared-on-send');
    } catch (error) {
      if (!disk.files.weather.full) sim.violate(`7: ${name} cannot open its outbox: ${messageOf(error)}`);
      return this.end(restartMs, false); // its supervisor tries again
    }
    if (disk.missing(outbox).length > 0)
      sim.violate(`1: ${name} forgot a report that nobody has acknowledged`);
    this.daemon = this.compose(life, outbox);
    this.daemon
      .start()
      .catch((error: unknown) => sim.violate(`7: ${name} did not start: ${messageOf(error)}`));
  }

  private compose(life: Life, outbox: Outbox): Daemon {
    const { sim, self, shape, place } = this;
    const clock = sim.world.clock(life);
    const lens = this.lensOf();
    const dial: Dial = (lane) => sim.dial({ peer: shape.name, lane, peerLife: life, lens });
    const heartbeats = this.heartbeatsOf(life, lens);
    const common = {
      self,
      version: '0.1.0',
      host: shape.name,
      pid: 1,
      slots: shape.slots,
      clock,
      random: sim.world.random,
      logger,
      outbox,
      link: (more: LinkShape): Link =>
        createLink({ self, clock, random: sim.world.random, logger, outbox, dial, heartbeats, ...more }),
      keepToken: () => undefined,
      fatal: (error: AppError) => this.refused(life, error),
      stop: () => this.drain(restartMs),
    };
    return this.role === 'worker'
      ? new WorkerDaemon({
          ...common,
          labels: shape.labels,
          abortMs: 2_000,
          workshop: workshopOf(sim, {
            life,
            folders: place.folders,
            isForgetful: lens === olderVersion,
          }),
        })
      : new ReviewerDaemon({
          ...common,
          specializations: shape.specializations,
          finishMs: 500,
          acknowledgeMs: 5_000,
          room: roomOf(sim, life),
        });
  }

  /** On a thread of the process, as the production one is; a program from before has none. */
  private heartbeatsOf(life: Life, lens: Lens): Heartbeats | undefined {
    const { sim, name } = this;
    if (lens === olderVersion) return undefined;
    const dial: Dial = (lane) => sim.dial({ peer: name, lane, peerLife: life.thread, lens });
    return heartbeatsOn({ dial, clock: sim.world.clock(life.thread), random: sim.world.random, logger });
  }

  /** Which version this life is of. */
  private lensOf(): Lens {
    const { version } = this.shape;
    const mixed = [sameVersion, olderVersion, newerVersion] as const;
    switch (version) {
      case 'same':
        return sameVersion;
      case 'older':
        return olderVersion;
      case 'newer':
        return newerVersion;
      case 'mixed':
        return this.sim.world.pick(mixed);
    }
  }

  /** The hub refuses it for good: only who broke the table, or has a twin, may be. */
  private refused(life: Life, error: AppError): void {
    const { sim, name } = this;
    if (!life.alive) return;
    sim.world.note(`${name} is refused: ${error.message}`);
    const isTwin = this.disks.length > 1 && error.code === 'E_REPLACED';
    if (!isTwin && !this.isAccused) sim.violate(`7: ${name} was refused for good: ${error.message}`);
    sim.world.after(0, '', () => {
      if (!life.alive) return;
      if (life === this.life) return this.end(restartMs, false);
      life.alive = false;
      sim.network.ended(life, false);
    });
  }
}
