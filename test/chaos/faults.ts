import { seededRandom } from '@switchyard/testkit';
import { fleetTimes, memberNames, peerNames, type Fleet, type MemberName, type PeerName } from './fleet.ts';

/** One thing that goes wrong; times in milliseconds. */
export type Fault =
  | { readonly kind: 'kill'; readonly member: MemberName }
  | { readonly kind: 'pause'; readonly member: MemberName; readonly forMs: number }
  | { readonly kind: 'cut'; readonly peer: PeerName }
  | { readonly kind: 'refuse'; readonly peer: PeerName; readonly forMs: number }
  | {
      readonly kind: 'stall';
      readonly peer: PeerName;
      readonly direction: 'up' | 'down';
      readonly forMs: number;
    };

/** A fault and how long everything is left alone before it. */
export interface PlannedFault {
  readonly afterMs: number;
  readonly fault: Fault;
}

/** Between two faults lie at least so many times the time that a daemon needs to be ready. */
const readinessFactor = 5;

/** Random choices of one round, the same for the same seed. */
class Choice {
  private readonly random: ReturnType<typeof seededRandom>;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  of<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.random.next() * values.length)];
    if (value === undefined) throw new Error('a choice of nothing');
    return value;
  }

  between(least: number, most: number): number {
    return Math.round(least + this.random.next() * (most - least));
  }
}

/** Faults of a round: which, on whom and in which order are the seed's; the pauses also depend on `readyMs`. */
export function planFaults(seed: number, count: number, readyMs: number): PlannedFault[] {
  const choice = new Choice(seed);
  return Array.from({ length: count }, () => {
    const factor = choice.between(readinessFactor * 100, readinessFactor * 140) / 100;
    return { afterMs: Math.round(readyMs * factor), fault: chooseFault(choice) };
  });
}

function chooseFault(choice: Choice): Fault {
  const kind = choice.of(['kill', 'kill', 'pause', 'cut', 'refuse', 'stall'] as const);
  // Half of them are over before a lease is; the others outlive lease and grace.
  const { leaseMs, graceMs } = fleetTimes;
  const forMs = choice.of([choice.between(500, leaseMs), leaseMs + graceMs + choice.between(500, 2_000)]);
  switch (kind) {
    case 'kill':
      return { kind, member: choice.of(memberNames) };
    case 'pause':
      return { kind, member: choice.of(memberNames), forMs };
    case 'cut':
      return { kind, peer: choice.of(peerNames) };
    case 'refuse':
      return { kind, peer: choice.of(peerNames), forMs };
    case 'stall':
      return { kind, peer: choice.of(peerNames), direction: choice.of(['up', 'down'] as const), forMs };
  }
}

/** One line for people. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill ${fault.member}`;
    case 'pause':
      return `pause ${fault.member} ${fault.forMs} ms`;
    case 'cut':
      return `cut ${fault.peer}`;
    case 'refuse':
      return `refuse ${fault.peer} ${fault.forMs} ms`;
    case 'stall':
      return `stall ${fault.peer} ${fault.direction} ${fault.forMs} ms`;
  }
}

/** Inflicts a fault, and takes it back when its time is over. `wait` may return early. */
export async function inflict(
  fleet: Fleet,
  fault: Fault,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      return fleet.member(fault.member).kill();
    case 'cut':
      fleet.relay(fault.peer).cut();
      return;
    case 'pause': {
      const member = fleet.member(fault.member);
      member.pause();
      await wait(fault.forMs);
      return member.resume();
    }
    case 'refuse':
      fleet.relay(fault.peer).refuse();
      await wait(fault.forMs);
      return fleet.relay(fault.peer).pass();
    case 'stall':
      fleet.relay(fault.peer).stall(fault.direction);
      await wait(fault.forMs);
      return fleet.relay(fault.peer).pass();
  }
}
