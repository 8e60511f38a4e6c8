import type { Plan, Specialization } from '@switchyard/protocol';
import { seededRandom } from '@switchyard/testkit';
import { planOf, type UpTo } from './plan.ts';

export const faultKinds = [
  'crash',
  'power',
  'drain',
  'stall',
  'held-up',
  'twin',
  'clock',
  'cut',
  'half-open',
  'silent-up',
  'silent-down',
  'twice',
  'garbage',
  'slow-disk',
  'full-disk',
  'failed-sync',
  'git-trouble',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A thing that goes wrong, at a time counted from the start. */
export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: string;
  readonly forMs: number;
}

export const actKinds = [
  'submit',
  'pause',
  'cancel-run',
  'cancel-task',
  'add-task',
  'apply',
  'rollback',
  'look',
] as const;
export type ActKind = (typeof actKinds)[number];

/** A thing that a person does. */
export interface Act {
  readonly atMs: number;
  readonly kind: ActKind;
  /** Which plan or task, where it matters. */
  readonly which: number;
}

/** How often others of an older or newer version live on a machine. */
export type Version = 'same' | 'older' | 'newer' | 'mixed';

/** A worker or a reviewer. */
export interface Shape {
  readonly name: string;
  readonly slots: number;
  readonly labels: readonly string[];
  readonly specializations: readonly Specialization[];
  readonly version: Version;
}

/** What one seed stands for. */
export interface Scenario {
  readonly seed: number;
  readonly workers: readonly Shape[];
  readonly reviewers: readonly Shape[];
  /** The first is submitted at once, the others by acts. */
  readonly plans: readonly Plan[];
  readonly heartbeatMs: number;
  readonly graceMs: number;
  /** How long a main loop may stand still while its process lives. */
  readonly hungMs: number;
  /** The orchestrator's loop stands still while its disk works. */
  readonly isBlocking: boolean;
  /** How a person answers what waits for one. */
  readonly answers: 'soon' | 'late' | 'never';
  readonly faults: readonly Fault[];
  readonly acts: readonly Act[];
}

/** Short, long, and about as long as a lease's grace. */
const durations: readonly ((upTo: UpTo) => number)[] = [
  (upTo) => upTo(2_000),
  (upTo) => upTo(45_000),
  (upTo) => 28_000 + upTo(17_000),
];

/** Often, because most of what can go wrong goes wrong then. */
const often: readonly FaultKind[] = ['crash', 'crash', 'crash', 'power', 'cut', 'half-open'];

/** How long faults happen; some time later everything that is broken is mended. */
export const faultsEndMs = 60_000;
export const mendedMs = faultsEndMs + 50_000;

export function scenarioOf(seed: number): Scenario {
  const random = seededRandom(seed * 2 + 1);
  const upTo: UpTo = (most) => Math.floor(random.next() * (most + 1));
  const one = <T>(list: readonly T[]): T => list[upTo(list.length - 1)] as T;
  const chance = (share: number): boolean => random.next() < share;
  const workers = Array.from({ length: 1 + upTo(2) }, (_, index) => ({
    name: `worker-${index + 1}`,
    slots: 1 + upTo(2),
    labels: ['os:linux', ...(index === 0 && chance(0.8) ? ['gpu'] : [])],
    specializations: [],
    version: versionOf(chance, one),
  }));
  const reviewers = Array.from({ length: 1 + upTo(1) }, (_, index) => ({
    name: `reviewer-${index + 1}`,
    slots: 1 + upTo(2),
    labels: [],
    specializations: (index === 0 ? ['style', 'security'] : ['style']) satisfies Specialization[],
    version: versionOf(chance, one),
  }));
  const plans = Array.from({ length: chance(0.15) ? 2 : 1 }, (_, index) =>
    planOf(`plan-${index}`, { upTo, chance }),
  );
  const targets = ['orchestrator', 'person', ...[...workers, ...reviewers].map(({ name }) => name)];
  const faults = Array.from({ length: upTo(10) }, () => ({
    atMs: upTo(one([3_000, faultsEndMs])),
    kind: one(chance(0.4) ? often : faultKinds),
    target: chance(0.4) ? 'orchestrator' : one(targets),
    forMs: one(durations)(upTo),
  }));
  const acts: Act[] = [
    ...plans.slice(1).map((_, index) => ({ atMs: upTo(20_000), kind: 'submit' as const, which: index + 1 })),
    ...Array.from({ length: chance(0.4) ? 1 + upTo(2) : 0 }, () => ({
      atMs: upTo(faultsEndMs),
      kind: chance(0.1)
        ? ('cancel-run' as const)
        : one(['pause', 'cancel-task', 'add-task', 'apply', 'look'] as const),
      which: upTo(6),
    })),
  ];
  const answers = chance(0.02) ? 'never' : one(['soon', 'soon', 'late'] as const);
  const heartbeatMs = answers === 'never' ? 30_000 : one([1_000, 2_000, 2_000, 5_000]);
  const graceMs = answers === 'never' ? 60_000 : one([12_000, 30_000, 30_000]);
  const hungMs = one([25_000, 120_000]);
  const isBlocking = chance(0.5);
  if (chance(0.3)) acts.push({ atMs: upTo(faultsEndMs), kind: 'rollback', which: upTo(6) });
  return {
    seed,
    workers,
    reviewers,
    plans,
    // A gate that nobody answers waits for a day: with few heartbeats that takes seconds here.
    heartbeatMs,
    graceMs,
    hungMs,
    isBlocking,
    answers,
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
    acts: acts.toSorted((a, b) => a.atMs - b.atMs),
  };
}

function versionOf(chance: (share: number) => boolean, one: <T>(list: readonly T[]) => T): Version {
  return chance(0.75) ? 'same' : one(['older', 'newer', 'mixed'] as const);
}
