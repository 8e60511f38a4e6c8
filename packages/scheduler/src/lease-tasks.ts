import { expectedRpm, type TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import { mayBegin } from './dependencies.ts';
import type { RunInput, WorkerOffer } from './input.ts';
import { areFree } from './path-leases.ts';
import { resumePointOf } from './resume-point.ts';
import { holdsPaths } from './run-index.ts';
import { nextFence } from './task-change.ts';
import type { TaskState } from './state.ts';
import { isTyped, wantedLabels } from './wanted-labels.ts';

type Offer = RunInput & { readonly kind: 'offer' };

/** How far back the measured rate looks; attempts younger than that may not show in it yet. */
const measuredOverMs = 60_000;

interface FreeWorker {
  readonly offer: WorkerOffer;
  readonly labels: ReadonlySet<string>;
  free: number;
}

/** Gives free slots to ready tasks, in the strategy's order, as long as both are left: nothing idles that could work. */
export function leaseTasks(decision: Decision, offer: Offer): void {
  const { state } = decision;
  if (state.phase.kind !== 'running' || state.paused !== undefined || state.index.ready.length === 0) return;
  const fleet = freeWorkers(offer);
  let slots = fleet.reduce((sum, worker) => sum + worker.free, 0);
  let headroom = headroomOf(decision, offer);
  const typed = offer.offers.some(({ labels }) => isTyped(labels));
  // Not a copy: a run may have thousands that are ready. One that is leased is in its place no more.
  for (let place = 0; ;) {
    const { active, ready } = decision.state.index;
    const id = ready[place];
    if (id === undefined || slots === 0 || active.size >= state.plan.limits.workers) return;
    place += 1;
    const task = decision.task(id);
    const rate = expectedRpm(task.task);
    // One task may always run: a limit below the rate of every task must not hang the run.
    if (rate > headroom && active.size > 0) continue;
    const worker = workerFor(fleet, task, typed);
    if (worker === undefined || !mayRun(decision, task)) continue;
    lease(decision, id, worker);
    place -= 1;
    worker.free -= 1;
    slots -= 1;
    headroom -= rate;
  }
}

function lease(decision: Decision, taskId: TaskId, worker: FreeWorker): void {
  const { at, state } = decision;
  const task = decision.task(taskId);
  const resumeFrom = resumePointOf(task);
  decision.emit({
    kind: 'task-leased',
    taskId,
    lease: {
      worker: worker.offer.worker,
      attempt: task.attempts + 1,
      fence: nextFence(task),
      at,
      base: state.candidate,
      ...(resumeFrom === undefined ? {} : { resumeFrom }),
    },
  });
}

/** Its paths are free or its own, and what it depends on is (still) there. */
function mayRun(decision: Decision, task: Readonly<TaskState>): boolean {
  const { paths } = decision.state.index;
  return (holdsPaths(task) || areFree(paths, task.task.workspace)) && mayBegin(decision, task);
}

function freeWorkers({ offers }: Offer): FreeWorker[] {
  return offers
    .filter(({ freeSlots }) => freeSlots > 0)
    .map((offer) => ({ offer, labels: new Set(offer.labels), free: offer.freeSlots }));
}

/** The worker that has the task's clone, if it is free; else the one with most free slots, so that load spreads. */
function workerFor(
  fleet: readonly FreeWorker[],
  { task, affinity }: Readonly<TaskState>,
  typed: boolean,
): FreeWorker | undefined {
  const wanted = wantedLabels(task, typed);
  let best: FreeWorker | undefined;
  for (const worker of fleet) {
    if (worker.free === 0 || !wanted.every((label) => worker.labels.has(label))) continue;
    if (worker.offer.worker === affinity) return worker;
    if (best === undefined || worker.free > best.free) best = worker;
  }
  return best;
}

/** Requests a minute that may still be started; without limit for strategies that do not look at the rate. */
function headroomOf(decision: Decision, offer: Offer): number {
  const { state, at } = decision;
  if (state.strategy.chosen !== 'rate-aware') return Infinity;
  let expected = 0;
  for (const id of state.index.active) {
    const { task, history } = decision.task(id);
    const leasedAt = history.at(-1)?.leasedAt ?? at;
    if (offer.measuredRpm === undefined || at - leasedAt < measuredOverMs) expected += expectedRpm(task);
  }
  return state.plan.limits.rpm - (offer.measuredRpm ?? 0) - expected;
}
