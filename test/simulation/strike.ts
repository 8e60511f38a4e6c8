import { peerId } from '@switchyard/protocol';
import type { DiskWeather } from './files.ts';
import { garbage } from './frames.ts';
import type { GitDisk } from './git-disk.ts';
import type { JournalDisk } from './journal-disk.ts';
import { falseReport, falseVerdict } from './lies.ts';
import type { Network } from './network.ts';
import type { SimPeer } from './peers.ts';
import type { Person } from './person.ts';
import type { Fault } from './scenario.ts';
import type { SimOrchestrator } from './sim-orchestrator.ts';
import type { World } from './world.ts';

/** Whom and what faults strike. */
export interface Struck {
  readonly world: World;
  readonly network: Network;
  readonly journal: JournalDisk;
  readonly git: GitDisk;
  readonly orchestrator: SimOrchestrator;
  readonly peers: readonly SimPeer[];
  readonly person: Person;
}

/** Clocks are set by up to an hour. */
const clockFactor = 80;

/** Lets one thing go wrong. */
export function strike(on: Struck, fault: Fault): void {
  const { world } = on;
  world.note(`fault: ${fault.kind} ${fault.target} for ${fault.forMs} ms`);
  switch (fault.kind) {
    case 'crash':
    case 'power':
    case 'drain':
    case 'twin':
    case 'stall':
    case 'held-up':
      return strikeProcess(on, fault);
    case 'clock':
      for (const machine of machinesOf(on, fault.target)) machine.wallOffsetMs += jumpMs(fault);
      return;
    case 'cut':
    case 'half-open':
    case 'silent-up':
    case 'silent-down':
    case 'twice':
    case 'garbage':
      for (const name of connectedTo(on, fault.target)) strikeConnection(on, name, fault);
      return;
    case 'slow-disk':
    case 'full-disk':
    case 'failed-sync':
      return strikeDisk(on, weatherOf(on, fault.target), fault);
    case 'git-trouble':
      on.git.isTroubled = true;
      world.after(fault.forMs, 'git works again', () => (on.git.isTroubled = false));
      return;
  }
}

/** How far a clock is set. */
export function jumpMs({ forMs }: Fault): number {
  return (forMs % 2 === 0 ? 1 : -1) * forMs * clockFactor;
}

function strikeProcess(on: Struck, { kind, target, forMs }: Fault): void {
  const { orchestrator, peers, person, world } = on;
  const peer = peers.find(({ name }) => name === target);
  if (target === 'person') return kind === 'stall' || kind === 'held-up' ? undefined : person.crash(forMs);
  switch (kind) {
    case 'crash':
    case 'power':
      return peer === undefined
        ? orchestrator.crash(forMs, kind === 'power')
        : peer.crash(forMs, kind === 'power');
    case 'drain':
      return peer === undefined ? orchestrator.drain(forMs) : peer.drain(forMs);
    case 'twin':
      return peer === undefined ? orchestrator.twin(forMs) : peer.twin(forMs);
    case 'held-up':
      // The hub has no thread of its own: its loop stands still as if it were stopped.
      if (peer === undefined) orchestrator.stall(forMs);
      else peer.life.heldUpUntil = world.nowMs + forMs;
      return;
    default:
      if (peer === undefined) orchestrator.stall(forMs);
      else peer.life.stalledUntil = world.nowMs + forMs;
  }
}

function strikeConnection(on: Struck, name: string, { kind, forMs }: Fault): void {
  const { network } = on;
  switch (kind) {
    case 'cut':
      return network.cut(name);
    case 'half-open':
      return network.halve(name);
    case 'silent-up':
    case 'silent-down':
      return network.silence(name, kind === 'silent-up' ? 'up' : 'down', forMs);
    case 'twice':
      return network.repeat(name, forMs);
    default:
      return strikeWithGarbage(on, name);
  }
}

/** Something that the table refuses comes over a connection, or something that it lets through and is not true. */
function strikeWithGarbage({ network, world, peers, journal }: Struck, name: string): void {
  const peer = peers.find((one) => one.name === name);
  if (peer === undefined) return; // a client that breaks the table is only told so, and ends
  const hub = peerId.parse('orchestrator');
  const way = world.pick(['up', 'up', 'down'] as const);
  const lies = peer.role === 'worker' ? falseReport : falseVerdict;
  const lie = world.random.next() < 0.5 ? lies({ world, self: peer.self, journal }) : undefined;
  if (lie !== undefined) {
    for (const frame of lie.frames) network.inject(name, 'up', frame);
    world.note(lie.what);
    return;
  }
  const { what, frame } = way === 'up' ? garbage(world, peer.self, hub) : garbage(world, hub, peer.self);
  if (!network.inject(name, way, frame)) return;
  if (way === 'up') peer.isAccused = true;
  world.note(`${way === 'up' ? name : 'the hub'} sends garbage: ${what}`);
}

function strikeDisk({ world }: Struck, weather: DiskWeather, { kind, target, forMs }: Fault): void {
  if (kind === 'failed-sync') {
    weather.failNext = true;
    return;
  }
  if (kind === 'full-disk') weather.full = true;
  else weather.slowMs = forMs % 2_000;
  world.after(forMs, `the disk of ${target} is well again`, () => {
    if (kind === 'full-disk') weather.full = false;
    else weather.slowMs = 0;
  });
}

/** The target, or whoever is connected to the orchestrator. */
function connectedTo({ peers }: Struck, target: string): string[] {
  return target === 'orchestrator' ? ['person', ...peers.map(({ name }) => name)] : [target];
}

function weatherOf({ peers, journal }: Struck, target: string): DiskWeather {
  return (peers.find(({ name }) => name === target)?.disk.files ?? journal).weather;
}

function machinesOf({ peers, orchestrator, person }: Struck, target: string) {
  if (target === 'orchestrator') return [orchestrator.machine];
  if (target === 'person') return [person.life.machine];
  return peers.filter(({ name }) => name === target).map(({ life }) => life.machine);
}
