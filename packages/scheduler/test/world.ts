import { isAppError, type CommitId, type Failure, type PlanTask } from '@switchyard/protocol';
import {
  advance,
  decide,
  eventsOf,
  evolve,
  isWorldInput,
  nextDeadline,
  owed,
  type Owed,
  type RunFact,
  type RunInput,
  type RunState,
  type TaskState,
  type WorkerOffer,
} from '@switchyard/scheduler';
import { RunChecker } from '@switchyard/testkit';
import { base, commit, evidence, failure, peer, receipt, run, task as buildTask } from './build-plan.ts';
import { must, plain } from './check-index.ts';
import { checkSnapshot } from './check-snapshot.ts';
import type { Plan } from '@switchyard/protocol';

export interface Worker {
  readonly name: string;
  readonly labels: readonly string[];
  readonly slots: number;
}

type Undated = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

/** Everything around one run, with the numbered invariants of `decide` checked after every fact. */
/** What requests of clients may be refused with. */
const refusals: ReadonlySet<string> = new Set([
  'E_RUN_STATE',
  'E_TASK_UNKNOWN',
  'E_PLAN_INVALID',
  'E_GATE_INPUTS',
  'E_ROLLBACK_DEPENDANTS',
]);

export class World {
  now = 1_000_000;
  readonly facts: RunFact[] = [];
  readonly inputs: RunInput[] = [];
  readonly workers: readonly Worker[];
  /** Commit → `task#fence` of every change in it. */
  readonly contents = new Map<CommitId, ReadonlySet<string>>([[base, new Set()]]);
  /** Changes that make the verification fail. */
  readonly bad = new Set<string>();
  private readonly checker = new RunChecker((name) => this.workers.find((worker) => worker.name === name));
  private commits = 0;
  private readonly markOf = new Map<CommitId, string>();
  /** What of each task was put on the branch and not taken back. */
  private readonly onBranch = new Map<string, string[]>();

  constructor(plan: Plan, workers: readonly Worker[]) {
    this.workers = workers;
    const input: RunInput = { kind: 'create', at: this.now, run, plan, base };
    const [created] = decide(undefined, input);
    if (created === undefined) throw new Error('nothing was created');
    this.facts.push(created);
    this.checker.fold(created);
  }

  get state(): RunState {
    return this.checker.state;
  }

  get ended(): boolean {
    return this.checker.ended;
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
      must(refusals.has(error.code), error.code);
      return error.code;
    }
    must(before === undefined || plain(this.state) === before, 'decide changed the state');
    if ('fence' in input && input.fence !== this.state.tasks.get(input.taskId)?.fence)
      must(facts.every(isKept), `a stale fence changes something: ${input.kind}`); // (4)
    this.inputs.push(input);
    for (const fact of facts) this.fold(fact, input);
    this.checker.checkAlive();
    this.checker.checkReasons();
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
    return this.checker.active();
  }

  submit(
    task: TaskState,
    options: { commit?: boolean; bad?: boolean; followUps?: readonly string[] } = {},
  ): readonly RunFact[] | string {
    if (!('lease' in task.phase)) return 'no lease';
    const { lease } = task.phase;
    const made = options.commit === false ? undefined : this.newCommit(lease.base, [mark(task)]);
    if (options.bad === true) this.bad.add(mark(task));
    return this.input({
      kind: 'submitted',
      taskId: task.task.id,
      fence: lease.fence,
      evidence: {
        ...evidence(lease.worker, { base: lease.base, commit: made }),
        ...(options.followUps !== undefined && {
          handover: { findings: [], blockers: [], features: [], followUps: [...options.followUps] },
        }),
      },
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

  /** Its worker is heard, or not; `staleBy`: said with the fence of an earlier attempt. */
  hear(task: TaskState, isHeard: boolean, staleBy = 0): readonly RunFact[] | string {
    if (!('lease' in task.phase)) return 'no lease';
    const fence = task.phase.lease.fence - staleBy;
    return this.input({ kind: 'contact', taskId: task.task.id, fence, isHeard, reason: 'it is silent' });
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
          this.markOf.set(tip, `${taskId}#${accepted.fence}`);
          merged.push({ taskId, commit: tip });
        }
        const conflicts = conflicting.flatMap((name) => {
          const entry = entries.find(({ taskId }) => taskId === name);
          return entry === undefined ? [] : [{ taskId: entry.taskId, findings: [] }];
        });
        return this.input({ kind: 'merged', batch, tip, merged, conflicts });
      }
      case 'revert': {
        const { batch, parent, reverts = [] } = effect.decision;
        const gone = new Set(reverts.map(({ commit: merge }) => this.markOf.get(merge)));
        const left = [...(this.contents.get(parent) ?? [])].filter((one) => !gone.has(one));
        const tip = this.newCommit(parent, []);
        this.contents.set(tip, new Set(left));
        const conflicts = reverts.filter(({ taskId }) => conflicting.includes(taskId));
        return this.input({
          kind: 'reverted',
          batch,
          tip,
          isBase: left.length === 0,
          conflicts: conflicts.map(({ taskId }) => ({ taskId, findings: [] })),
        });
      }
      case 'verify': {
        const passed = this.passes(effect.commit);
        const receipts = [receipt(effect.commit, passed ? 0 : 1)];
        return this.input({ kind: 'verified', batch: effect.batch, passed, receipts });
      }
      case 'move':
        must(effect.from === this.state.tip, 'a move from elsewhere');
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
      case 'follow-ups': {
        const { taskId, fence, followUps } = effect;
        const problem = followUps.includes('bad') ? 'no such thing' : undefined;
        const tasks = problem === undefined ? followUps.map((name) => followUp(name, taskId)) : [];
        return this.input({ kind: 'follow-ups', taskId, fence, tasks, problem });
      }
      case 'case':
      case 'publish':
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

  /** Carries a rollback of a run that has ended to its end. */
  finishRollback(): void {
    for (let step = 0; step < 20 && this.state.rollback !== undefined; step += 1)
      for (const effect of owed(this.state)) this.perform(effect);
    must(this.state.rollback === undefined, 'the rollback does not end');
    must(this.ended, 'a rollback opens a run again');
  }

  /** Deciding in place gives the same facts and the same state as deciding on a draft and folding. */
  checkAdvance(): void {
    const [created] = this.facts;
    if (created === undefined) throw new Error('nothing was created');
    const facts = [created];
    let state = evolve(undefined, created);
    for (const input of this.inputs) {
      if (isWorldInput(input)) {
        const told: RunFact[] = [];
        const decided = advance(state, input, (fact) => told.push(fact));
        must(plain(decided) === plain(told), 'a fact is not told of');
        facts.push(...decided);
      } else {
        const decided = decide(state, input);
        for (const fact of decided) state = evolve(state, fact);
        facts.push(...decided);
      }
    }
    must(plain(facts) === plain(this.facts), 'advance decides otherwise than decide');
    must(plain(state) === plain(this.state), 'advance folds otherwise than evolve');
  }

  /** (9), (10): facts that went through JSON fold to the same state. */
  checkReplay(): void {
    let again: RunState | undefined;
    for (const fact of JSON.parse(JSON.stringify(this.facts)) as RunFact[]) again = evolve(again, fact);
    must(plain(again) === plain(this.state), 'folding again gives another state');
    must(plain(structuredClone(this.facts)) === plain(this.facts), 'a fact is no plain data');
    const { length } = this.facts;
    for (const place of [1, 1 + (this.now % length), length]) checkSnapshot(this.facts, place);
  }

  /** (5): what completed with a change is in exactly one move, and the tip holds exactly what completed. */
  checkMoves(): void {
    const content = this.contents.get(this.state.tip) ?? new Set();
    for (const task of this.state.tasks.values()) {
      const { phase } = task;
      const merged = phase.kind === 'completed' && phase.merged !== undefined;
      const moved = this.onBranch.get(task.task.id) ?? [];
      // More than one, or one of a task that did not complete, only where a gate has sent it back.
      if (task.roundsBefore === undefined)
        must(moved.join() === (merged ? mark(task) : ''), `${task.task.id} in the moves`);
      const marks = [...content].filter((one) => one.startsWith(`${task.task.id}#`));
      must(marks.join() === moved.join(), `${task.task.id} on the branch: ${marks.join()}`);
      must((task.merges?.length ?? 0) === moved.length, `${task.task.id} does not know its merges`);
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
    if (fact.kind === 'task-leased') this.checkLease(fact, input);
    this.checker.fold(fact);
    this.facts.push(fact);
    for (const event of eventsOf(this.state, fact, this.facts.length))
      must(event.text.length > 0, `${event.kind} says nothing`);
    if (fact.kind === 'branch-moved') this.checkMove(fact);
    if (fact.kind === 'task-rolled-back') this.onBranch.delete(fact.taskId);
  }

  /** (1), as far as only commits can tell. */
  private checkLease(fact: RunFact & { kind: 'task-leased' }, input: RunInput): void {
    const content = this.contents.get(fact.lease.base) ?? new Set();
    for (const dependency of this.task(fact.taskId).task.dependsOn) {
      const on = this.task(dependency);
      if (on.phase.kind === 'verifying' || (on.phase.kind === 'completed' && on.phase.merged !== undefined))
        must(content.has(mark(on)), `${fact.taskId} must be based on ${dependency}`);
    }
    must(input.kind === 'offer', `a lease by ${input.kind}`);
  }

  private checkMove(fact: RunFact & { kind: 'branch-moved' }): void {
    for (const { taskId, commit: merge } of fact.merged)
      this.onBranch.set(taskId, [...(this.onBranch.get(taskId) ?? []), this.markOf.get(merge) ?? '?']);
    must(this.state.plan.verify.run.length === 0 || this.passes(fact.to), 'moved to what fails');
  }
}

/** A follow-up in the folder of the task that hands it in. */
function followUp(name: string, from: PlanTask['id']): PlanTask {
  return buildTask({ id: name, dependsOn: [from], workspace: [`src/${from}/${name}`] });
}

/** What is kept of an attempt beside its result: of ended ones too. */
function isKept({ kind }: RunFact): boolean {
  return kind === 'attempt-salvaged' || kind === 'attempt-wip';
}

function mark(task: TaskState): string {
  return `${task.task.id}#${task.fence}`;
}
