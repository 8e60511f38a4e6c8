import { overlaps, type PeerId, type TaskId } from '@switchyard/protocol';
import {
  evolve,
  nextDeadline,
  owed,
  viewOf,
  wantedLabels,
  type RunFact,
  type RunState,
  type TaskState,
} from '@switchyard/scheduler';
import { checkIndex } from './check-index.ts';
import { must } from './must.ts';

/** What a worker offers. */
export interface Offered {
  readonly labels: readonly string[];
  readonly slots: number;
}

/** What is known of a worker; undefined: nothing. */
export type OfferedBy = (worker: PeerId) => Offered | undefined;

const ends: ReadonlySet<string> = new Set(['completed', 'failed', 'skipped', 'cancelled', 'rolled-back']);
/** Something works, or has worked. */
const working: ReadonlySet<string> = new Set(['preparing', 'running', 'completed']);
const runEnds: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/**
 * Folds the facts of one run, and after every one of them checks what `decide` of the scheduler promises by number,
 * as far as the facts alone can tell. Throws an Error that says what does not hold.
 */
export class RunChecker {
  private current: RunState | undefined;
  private readonly offeredBy: OfferedBy;
  private readonly fences = new Map<TaskId, number>();
  private readonly moved = new Set<TaskId>();

  constructor(offeredBy: OfferedBy) {
    this.offeredBy = offeredBy;
  }

  get state(): RunState {
    if (this.current === undefined) throw new Error('the run has no facts');
    return this.current;
  }

  get ended(): boolean {
    return runEnds.has(this.state.phase.kind);
  }

  /** Tasks with a lease. */
  active(): TaskState[] {
    return [...this.state.tasks.values()].filter(({ phase }) => 'lease' in phase);
  }

  fold(fact: RunFact): void {
    if (fact.kind === 'task-leased') this.checkLease(fact);
    if (fact.kind === 'branch-moved') this.checkMove(fact);
    if (fact.kind === 'task-rolled-back') this.checkRollback(fact);
    if (fact.kind === 'task-sent-back') this.moved.delete(fact.taskId);
    const undoes =
      fact.kind === 'task-rolled-back' || fact.kind === 'task-sent-back' ? fact.taskId : undefined;
    const before = new Map([...(this.current?.tasks ?? [])].map(([id, task]) => [id, task.phase]));
    this.current = evolve(this.current, fact);
    for (const [id, phase] of before)
      if (ends.has(phase.kind) && id !== undoes)
        must(this.state.tasks.get(id)?.phase === phase, `(7) ${id} left ${phase.kind}`);
    this.checkFences();
    this.checkPaths();
    checkIndex(this.state);
  }

  /** (8), once all facts of a decision are folded. */
  checkAlive(): void {
    const { phase, paused, tasks } = this.state;
    if (this.ended || paused !== undefined || phase.kind === 'planned') return;
    const waitsForPeer = [...tasks.values()].some(
      (task) => 'lease' in task.phase || task.phase.kind === 'ready',
    );
    const isAlive = owed(this.state).length > 0 || nextDeadline(this.state) !== undefined || waitsForPeer;
    must(isAlive, `(8) it hangs: ${this.phases()}`);
  }

  /** Every wait says why, and until when where it is for a person. */
  checkReasons(): void {
    const view = viewOf(this.state);
    for (const { id, phase, reason, waiting } of view.tasks) {
      if (phase === 'waiting')
        must(
          (waiting?.text ?? '') !== '' && Number.isFinite(waiting?.deadline),
          `${id} waits for nobody knows what`,
        );
      else if (!working.has(phase))
        must(reason !== undefined && reason !== '', `${id} is ${phase}, and nothing says why`);
    }
    if (view.paused) must((view.reason ?? '') !== '', 'the run is paused, and nothing says why');
  }

  /** Where each task is, for people. */
  phases(): string {
    return [...this.state.tasks].map(([id, { phase }]) => `${id} ${phase.kind}`).join(', ');
  }

  /** (1) and (3), at the moment of a lease. */
  private checkLease({ taskId, lease }: RunFact & { kind: 'task-leased' }): void {
    const { plan, paused, candidate } = this.state;
    const { task } = this.task(taskId);
    for (const dependency of task.dependsOn)
      must(this.isThere(this.task(dependency)), `(1) ${taskId} was leased before ${dependency}`);
    must(lease.base === candidate, `(1) ${taskId} is not based on the candidate`);
    must(paused === undefined, `(3) ${taskId} was leased in a pause`);
    must(this.active().length < plan.limits.workers, '(3) over the cap of the run');
    const offered = this.offeredBy(lease.worker);
    if (offered === undefined) return;
    const holds = this.active().filter(
      ({ phase }) => 'lease' in phase && phase.lease.worker === lease.worker,
    );
    must(holds.length < offered.slots, `(3) over the slots of ${lease.worker}`);
    must(
      wantedLabels(task, false).every((label) => offered.labels.includes(label)),
      `(3) ${lease.worker} lacks a label of ${taskId}`,
    );
  }

  private isThere({ phase, task }: TaskState): boolean {
    if (phase.kind === 'verifying') return phase.onCandidate && this.state.plan.verify.when === 'end';
    return phase.kind === 'completed' || (phase.kind === 'failed' && task.onFailure === 'continue');
  }

  /** (5) */
  private checkMove({ from, merged }: RunFact & { kind: 'branch-moved' }): void {
    must(from === this.state.tip, '(5) the branch moved from elsewhere');
    for (const { taskId } of merged) {
      must(!this.moved.has(taskId), `(5) ${taskId} moved the branch twice`);
      this.moved.add(taskId);
    }
  }

  /** (5): only what is on the branch can leave it, and it leaves by the move of a rollback that named it. */
  private checkRollback({ taskId, commit }: RunFact & { kind: 'task-rolled-back' }): void {
    must(this.task(taskId).merges !== undefined, `(5) ${taskId} is rolled back and was not on the branch`);
    must(commit === this.state.tip, `(5) ${taskId} is rolled back by what is not on the branch`);
  }

  /** (4) */
  private checkFences(): void {
    for (const [id, task] of this.state.tasks) {
      must(task.fence >= (this.fences.get(id) ?? 0), `(4) the fence of ${id} went back`);
      this.fences.set(id, task.fence);
      if ('lease' in task.phase) must(task.phase.lease.fence === task.fence, `(4) ${id} has an old fence`);
    }
  }

  /** (2) */
  private checkPaths(): void {
    const holders = [...this.state.tasks.values()].filter(holdsByItsPhase);
    for (const [place, one] of holders.entries())
      for (const other of holders.slice(place + 1))
        must(
          !overlaps(one.task.workspace, other.task.workspace),
          `(2) ${one.task.id} and ${other.task.id} overlap`,
        );
  }

  private task(id: TaskId): TaskState {
    const task = this.state.tasks.get(id);
    if (task === undefined) throw new Error(`no task ${id}`);
    return task;
  }
}

/** Leases, reviews and integrations hold paths; not what is on the candidate of `verify.when: end`. */
function holdsByItsPhase({ phase, task }: TaskState): boolean {
  if (task.kind !== 'implement') return 'lease' in phase;
  if (phase.kind === 'integrating' || phase.kind === 'verifying') return phase.holds;
  return (
    'lease' in phase ||
    phase.kind === 'reviewing' ||
    (phase.kind === 'waiting' && phase.wait.submitted !== undefined)
  );
}
