import { isAppError, overlaps, type CommitId, type Failure, type PlanTask } from '@switchyard/protocol';
import {
  decide,
  eventsOf,
  evolve,
  nextDeadline,
  owed,
  type Owed,
  type RunFact,
  type RunInput,
  type RunState,
  type TaskState,
  type WorkerOffer,
} from '@switchyard/scheduler';
import { base, commit, evidence, failure, peer, receipt, run } from './build-plan.ts';
import { checkIndex, must, plain } from './check-index.ts';
import type { Plan } from '@switchyard/protocol';

export interface Worker {
  readonly name: string;
  readonly labels: readonly string[];
  readonly slots: number;
}

type Undated = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;
const terminal = new Set(['completed', 'failed', 'skipped', 'cancelled']);

/** Everything around one run, with the numbered invariants of `decide` checked after every fact. */
export class World {
  state: RunState;
  now = 1_000_000;
  readonly facts: RunFact[] = [];
  readonly inputs: RunInput[] = [];
  readonly workers: readonly Worker[];
  /** Commit → `task#fence` of every change in it. */
  readonly contents = new Map<CommitId, ReadonlySet<string>>([[base, new Set()]]);
  /** Changes that make the verification fail. */
  readonly bad = new Set<string>();
  private commits = 0;
  private moved = new Map<string, number>();
  private fences = new Map<string, number>();
  private tip = base;

  constructor(plan: Plan, workers: readonly Worker[]) {
    this.workers = workers;
    const input: RunInput = { kind: 'create', at: this.now, run, plan, base };
    const [created] = decide(undefined, input);
    if (created === undefined) throw new Error('nothing was created');
    this.facts.push(created);
    this.state = evolve(undefined, created);
  }

  get ended(): boolean {
    return ['completed', 'failed', 'cancelled'].includes(this.state.phase.kind);
  }

  task(id: string): TaskState {
    for (const task of this.state.tasks.values()) if (task.task.id === id) return task;
    throw new Error(`no task ${id}`);
  }

  phases(): Record<string, string> {
    return Object.fromEntries([...this.state.tasks].map(([id, { phase }]) => [id, phase.kind]));
  }

  /** Feeds one input; requests that cannot be met are answered by an AppError, which is given back. */
  input(undated: Undated): readonly RunFact[] | string {
    return this.feed({ ...undated, at: this.now } as RunInput);
  }

  feed(input: RunInput): readonly RunFact[] | string {
    const before = this.facts.length % 41 === 0 ? plain(this.state) : undefined;
    let facts: readonly RunFact[];
    try {
      facts = decide(this.state, input);
    } catch (error) {
      if (!isAppError(error)) throw error;
      must(['E_RUN_STATE', 'E_TASK_UNKNOWN', 'E_PLAN_INVALID'].includes(error.code), error.code);
      return error.code;
    }
    must(before === undefined || plain(this.state) === before, 'decide changed the state');
    if ('fence' in input && input.fence !== this.state.tasks.get(input.taskId)?.fence)
      must(facts.length === 0, `a stale fence changes something: ${input.kind}`); // (4)
    this.inputs.push(input);
    for (const fact of facts) this.fold(fact, input);
    this.checkAlive();
    if (input.kind === 'tick')
      must((nextDeadline(this.state) ?? Infinity) > input.at, 'a tick leaves its deadline where it is');
    return facts;
  }

  offers(): WorkerOffer[] {
    return this.workers.map(({ name, labels, slots }) => ({
      worker: peer(name),
      labels,
      freeSlots: slots - this.leasesOf(name),
    }));
  }

  offer(): readonly RunFact[] | string {
    return this.input({ kind: 'offer', offers: this.offers() });
  }

  /** Tasks with a lease. */
  active(): TaskState[] {
    return [...this.state.tasks.values()].filter(({ phase }) => 'lease' in phase);
  }

  submit(task: TaskState, options: { commit?: boolean; bad?: boolean } = {}): readonly RunFact[] | string {
    if (!('lease' in task.phase)) return 'no lease';
    const { lease } = task.phase;
    const made = options.commit === false ? undefined : this.newCommit(lease.base, [mark(task)]);
    if (options.bad === true) this.bad.add(mark(task));
    return this.input({
      kind: 'submitted',
      taskId: task.task.id,
      fence: lease.fence,
      evidence: evidence(lease.worker, { base: lease.base, commit: made }),
    });
  }

  fail(task: TaskState, failed: Failure = failure('logic')): readonly RunFact[] | string {
    if (!('lease' in task.phase)) return 'no lease';
    const { fence } = task.phase.lease;
    return this.input({ kind: 'attempt-failed', taskId: task.task.id, fence, failure: failed });
  }

  lose(task: TaskState): readonly RunFact[] | string {
    if (!('lease' in task.phase)) return 'no lease';
    const { fence } = task.phase.lease;
    return this.input({ kind: 'lost', taskId: task.task.id, fence, reason: 'gone' });
  }

  /** Carries out one integration effect as git and the verification would. */
  perform(effect: Owed, conflicting: readonly string[] = []): readonly RunFact[] | string {
    switch (effect.kind) {
      case 'integrate': {
        const { batch, parent, entries } = effect.decision;
        const merged: { taskId: PlanTask['id']; commit: CommitId }[] = [];
        let tip = parent;
        for (const { taskId, accepted } of entries) {
          if (conflicting.includes(taskId)) continue;
          tip = this.newCommit(tip, [`${taskId}#${accepted.fence}`]);
          merged.push({ taskId, commit: tip });
        }
        const conflicts = conflicting.flatMap((name) => {
          const entry = entries.find(({ taskId }) => taskId === name);
          return entry === undefined ? [] : [{ taskId: entry.taskId, findings: [] }];
        });
        return this.input({ kind: 'merged', batch, tip, merged, conflicts });
      }
      case 'verify': {
        const passed = this.passes(effect.commit);
        const receipts = [receipt(effect.commit, passed ? 0 : 1)];
        return this.input({ kind: 'verified', batch: effect.batch, passed, receipts });
      }
      case 'move':
        must(effect.from === this.tip, 'a move from elsewhere');
        return this.input({ kind: 'moved', batch: effect.batch });
      case 'review':
        return this.input({
          kind: 'reviewed',
          taskId: effect.taskId,
          fence: effect.submitted.fence,
          outcome: 'approved',
          findings: [],
          text: 'fine',
        });
      case 'assign':
        return this.input({ kind: 'accepted', taskId: effect.taskId, fence: effect.lease.fence });
      case 'finish':
        return [];
    }
  }

  /** Answers everything well until the run ends; the number of steps is bounded. */
  finish(stepsMax = 3000): void {
    for (let step = 0; step < stepsMax && !this.ended; step += 1) {
      if (this.state.paused !== undefined) this.input({ kind: 'resume' });
      const facts = this.facts.length;
      this.input({ kind: 'tick' });
      this.offer();
      for (const effect of owed(this.state)) this.perform(effect);
      for (const task of this.active()) this.submit(task);
      if (this.ended || this.facts.length > facts) continue;
      const deadline = nextDeadline(this.state);
      if (deadline !== undefined) this.now = Math.max(this.now, deadline);
    }
    must(this.ended, `it does not end: ${JSON.stringify(this.phases())}`); // (6)
  }

  /** (9), (10): facts that went through JSON fold to the same state. */
  checkReplay(): void {
    let again: RunState | undefined;
    for (const fact of JSON.parse(JSON.stringify(this.facts)) as RunFact[]) again = evolve(again, fact);
    must(plain(again) === plain(this.state), 'folding again gives another state');
    must(plain(structuredClone(this.facts)) === plain(this.facts), 'a fact is no plain data');
  }

  /** (5): what completed with a change is in exactly one move, and the tip holds exactly what completed. */
  checkMoves(): void {
    const content = this.contents.get(this.state.tip) ?? new Set();
    for (const task of this.state.tasks.values()) {
      const { phase } = task;
      const merged = phase.kind === 'completed' && phase.merged !== undefined;
      must((this.moved.get(task.task.id) ?? 0) === (merged ? 1 : 0), `${task.task.id} in the moves`);
      const marks = [...content].filter((one) => one.startsWith(`${task.task.id}#`));
      must(marks.join() === (merged ? mark(task) : ''), `${task.task.id} on the branch: ${marks.join()}`);
    }
  }

  private newCommit(parent: CommitId, marks: readonly string[]): CommitId {
    this.commits += 1;
    const made = commit(this.commits);
    this.contents.set(made, new Set([...(this.contents.get(parent) ?? []), ...marks]));
    return made;
  }

  private passes(at: CommitId): boolean {
    return [...(this.contents.get(at) ?? [])].every((one) => !this.bad.has(one));
  }

  private leasesOf(worker: string): number {
    return this.active().filter(({ phase }) => 'lease' in phase && phase.lease.worker === worker).length;
  }

  private fold(fact: RunFact, input: RunInput): void {
    const before = new Map([...this.state.tasks].map(([id, task]) => [id, task.phase]));
    if (fact.kind === 'task-leased') this.checkLease(fact, input);
    this.state = evolve(this.state, fact);
    this.facts.push(fact);
    for (const event of eventsOf(this.state, fact, this.facts.length))
      must(event.text.length > 0, `${event.kind} says nothing`);
    for (const [id, phase] of before) {
      if (terminal.has(phase.kind))
        must(this.state.tasks.get(id)?.phase === phase, `${id} left ${phase.kind}`); // (7)
    }
    this.checkFences();
    this.checkPaths();
    if (fact.kind === 'branch-moved') this.checkMove(fact);
    checkIndex(this.state);
  }

  /** (1) and (3), at the moment of a lease. */
  private checkLease(fact: RunFact & { kind: 'task-leased' }, input: RunInput): void {
    const { task } = this.task(fact.taskId);
    const content = this.contents.get(fact.lease.base) ?? new Set();
    for (const dependency of task.dependsOn) {
      const on = this.task(dependency);
      const failedOn = on.phase.kind === 'failed' && on.task.onFailure === 'continue';
      const onCandidate = on.phase.kind === 'verifying' && this.state.plan.verify.when === 'end';
      must(on.phase.kind === 'completed' || failedOn || onCandidate, `${task.id} before ${dependency}`);
      if (on.phase.kind === 'verifying' || (on.phase.kind === 'completed' && on.phase.merged !== undefined))
        must(content.has(mark(on)), `${task.id} must be based on ${dependency}`);
    }
    const worker = this.workers.find(({ name }) => name === fact.lease.worker);
    must(
      task.requires.every((label) => worker?.labels.includes(label)),
      'a worker without the labels',
    );
    must(this.leasesOf(fact.lease.worker) < (worker?.slots ?? 0), 'over the slots of the worker');
    must(this.active().length < this.state.plan.limits.workers, 'over the cap of the run');
    must(input.kind === 'offer', `a lease by ${input.kind}`);
    must(this.state.paused === undefined, 'a lease in a pause');
  }

  /** (4) */
  private checkFences(): void {
    for (const [id, task] of this.state.tasks) {
      must(task.fence >= (this.fences.get(id) ?? 0), `the fence of ${id} went back`);
      this.fences.set(id, task.fence);
    }
    for (const task of this.active())
      if ('lease' in task.phase) must(task.phase.lease.fence === task.fence, 'a lease with an old fence');
  }

  /** (2) */
  private checkPaths(): void {
    const holders = [...this.state.tasks.values()].filter(holdsByItsPhase);
    for (const [place, one] of holders.entries())
      for (const other of holders.slice(place + 1))
        must(
          !overlaps(one.task.workspace, other.task.workspace),
          `${one.task.id} and ${other.task.id} overlap`,
        );
  }

  private checkMove(fact: RunFact & { kind: 'branch-moved' }): void {
    must(fact.from === this.tip, 'moved from elsewhere');
    this.tip = fact.to;
    for (const { taskId } of fact.merged) this.moved.set(taskId, (this.moved.get(taskId) ?? 0) + 1);
    must(this.state.plan.verify.run.length === 0 || this.passes(fact.to), 'moved to what fails');
  }

  /** (8) */
  private checkAlive(): void {
    const { phase, paused, tasks } = this.state;
    if (this.ended || paused !== undefined || phase.kind === 'planned') return;
    const waitsForPeer = [...tasks.values()].some(
      (task) => 'lease' in task.phase || task.phase.kind === 'ready',
    );
    const alive = owed(this.state).length > 0 || nextDeadline(this.state) !== undefined || waitsForPeer;
    must(alive, `it hangs: ${JSON.stringify(this.phases())}`);
  }
}

/** Leases, reviews and integrations hold paths; not what is on the candidate of `verify.when: end`. */
function holdsByItsPhase({ phase, task }: TaskState): boolean {
  if (task.kind !== 'implement') return 'lease' in phase;
  if (phase.kind === 'integrating' || phase.kind === 'verifying') return phase.holds;
  return (
    'lease' in phase ||
    phase.kind === 'reviewing' ||
    (phase.kind === 'waiting' && 'submitted' in phase.wait && phase.wait.submitted !== undefined)
  );
}

function mark(task: TaskState): string {
  return `${task.task.id}#${task.fence}`;
}
