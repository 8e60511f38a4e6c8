import { failureClasses, type PlanTask } from '@switchyard/protocol';
import { owed, nextDeadline, type TaskState } from '@switchyard/scheduler';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { failure, plan, task, type PlanOptions } from './build-plan.ts';
import { World, type Worker } from './world.ts';

const runs = 300;
const folders = ['src', 'src/a', 'src/a/x', 'src/b', 'lib', 'lib/c', 'docs', 'docs/one.md'];

const taskChoice = fc.record({
  kind: fc.constantFrom('implement', 'implement', 'implement', 'implement', 'verify', 'review', 'manual'),
  dependsOn: fc.array(fc.nat(20), { maxLength: 3 }),
  workspace: fc.array(fc.constantFrom(...folders), { minLength: 1, maxLength: 2 }),
  requires: fc.constantFrom([], [], [], ['gpu'], ['os:linux']),
  review: fc.constantFrom('never', 'required', 'optional'),
  rounds: fc.integer({ min: 1, max: 3 }),
  onFailure: fc.constantFrom('skip-dependents', 'skip-dependents', 'continue', 'escalate', 'fail-run'),
  retries: fc.nat(3),
  followUps: fc.constantFrom(undefined, 'add', 'ignore'),
  onReject: fc.constantFrom(undefined, 'fail', 'send-back', 'send-back', 'roll-back'),
  minutes: fc.integer({ min: 1, max: 9 }),
  rpm: fc.constantFrom(undefined, 10, 400),
} as const);
type TaskChoice = typeof taskChoice extends fc.Arbitrary<infer T> ? T : never;

const planChoice = fc.record({
  strategy: fc.constantFrom('max-parallel', 'critical-path', 'rate-aware', 'auto'),
  workers: fc.integer({ min: 1, max: 4 }),
  rpm: fc.constantFrom(300, 3800),
  wallMinutes: fc.constantFrom(undefined, undefined, undefined, 30),
  verify: fc.constantFrom(['npm test'], ['npm test'], []),
  when: fc.constantFrom('each', 'batch', 'end'),
} as const);

const workers: readonly Worker[] = [
  { name: 'w1', labels: ['os:linux'], slots: 1 },
  { name: 'w2', labels: ['os:linux', 'gpu'], slots: 2 },
  { name: 'w3', labels: ['gpu'], slots: 1 },
];

/** An acyclic graph: a task depends only on earlier ones. */
function taskOf(choice: TaskChoice, place: number): PlanTask {
  const { minutes, rpm, dependsOn, kind, ...rest } = choice;
  const writes = kind === 'implement';
  const { onReject, ...others } = rest;
  return task({
    ...others,
    ...(onReject === undefined ? {} : { onReject }),
    kind,
    id: `t${place}`,
    workspace: writes ? [...new Set(rest.workspace)] : [],
    dependsOn: place === 0 ? [] : [...new Set(dependsOn.map((number) => `t${number % place}`))],
    minutes,
    ...(rpm === undefined ? {} : { rpm }),
  });
}

/** A small generator of numbers, so that one seed tells a whole story. */
function dice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return (state >>> 8) % sides;
  };
}

function pick<T>(roll: (sides: number) => number, from: readonly T[]): T | undefined {
  return from.length === 0 ? undefined : from[roll(from.length)];
}

/** What a story is made of: which things happen, and one in how many changes is bad. */
interface Mood {
  readonly happenings: readonly number[];
  readonly badOneIn: number;
}

const anything: Mood = { happenings: Array.from({ length: 26 }, (_, number) => number), badOneIn: 6 };
/** Work, bad changes, conflicts, additions; nothing that ends a run early. */
/** Gates that are answered, work that is sent back and taken back. */
const undoing: Mood = { happenings: [0, 0, 3, 3, 4, 9, 9, 10, 13, 17, 17, 18, 20, 25], badOneIn: 9 };
const integrations: Mood = { happenings: [0, 0, 3, 3, 4, 9, 9, 10, 13, 20, 22, 23, 25], badOneIn: 2 };

interface Telling {
  readonly roll: (sides: number) => number;
  readonly mood: Mood;
  added: number;
}

/** What may happen, and to whom. */
interface Happening {
  readonly number: number;
  readonly world: World;
  readonly telling: Telling;
  readonly roll: Telling['roll'];
  readonly mood: Mood;
  readonly active: ReturnType<World['active']>[number] | undefined;
  readonly effect: ReturnType<typeof owed>[number] | undefined;
  readonly waiting: TaskState | undefined;
  readonly any: TaskState | undefined;
}

/** One thing that happens in a world that is not kind. */
function happen(world: World, telling: Telling): void {
  const { roll, mood } = telling;
  const tasks = [...world.state.tasks.values()];
  const active = pick(roll, world.active());
  const effect = pick(roll, owed(world.state));
  const waiting = pick(
    roll,
    tasks.filter(({ phase }) => phase.kind === 'waiting'),
  );
  const any = pick(roll, tasks);
  const number = pick(roll, mood.happenings) ?? 0;
  const happening = { number, world, telling, roll, mood, active, effect, waiting, any };
  if (number < 6) workGoesOn(happening);
  else if (number < 15) workGoesWrong(happening);
  else if (number < 19) timeAndPeople(happening);
  else surroundings(happening);
}

/** Leases and results. */
function workGoesOn(happening: Happening): void {
  const { world, active, roll, mood } = happening;
  switch (happening.number) {
    case 0:
    case 1:
    case 2:
      world.offer();
      return;
    case 3:
    case 4:
    case 5:
      if (active === undefined) return;
      world.submit(active, {
        ...{ commit: roll(8) > 0, bad: roll(mood.badOneIn) === 0 },
        ...(roll(12) === 0 && { followUps: [roll(4) === 0 ? 'bad' : `more ${world.facts.length}`] }),
      });
      return;
    default:
      return;
  }
}

/** Failures, losses, questions, and effects with their troubles. */
function workGoesWrong(happening: Happening): void {
  const { world, active, effect, roll } = happening;
  switch (happening.number) {
    case 6:
      if (active !== undefined) {
        const failed = failure(pick(roll, failureClasses.slice(0, roll(20) === 0 ? 7 : 5)) ?? 'logic');
        world.fail(active, roll(3) === 0 ? { ...failed, retryAfterMs: 5000 } : failed);
      }
      return;
    case 7:
      if (active === undefined) return;
      if (roll(2) === 0) world.lose(active);
      else world.hear(active, roll(2) === 0, roll(4));
      return;
    case 8:
      if (active !== undefined && 'lease' in active.phase)
        world.input({
          kind: 'escalated',
          taskId: active.task.id,
          fence: active.phase.lease.fence,
          text: 'which one?',
        });
      return;
    case 9:
    case 10:
    case 11:
    case 12:
      if (effect !== undefined) react(world, roll, effect);
      return;
    case 13:
      if (effect !== undefined && 'decision' in effect) {
        const { entries, reverts = [] } = effect.decision;
        const names = [...entries, ...reverts].map(({ taskId }) => taskId);
        world.perform(
          effect,
          names.filter(() => roll(3) === 0),
        );
      }
      return;
    case 14:
      if (effect !== undefined && ('batch' in effect || 'decision' in effect)) {
        const batch = 'batch' in effect ? effect.batch : effect.decision.batch;
        if (roll(25) === 0) world.input({ kind: 'branch-lost', batch, reason: 'somebody moved it' });
        else world.input({ kind: 'integration-errored', batch, failure: failure('io') });
      }
      return;
    default:
      return;
  }
}

/** Ticks and answers. */
function timeAndPeople(happening: Happening): void {
  const { world, waiting, roll, telling } = happening;
  switch (happening.number) {
    case 15:
      world.now += roll(5000);
      world.input({ kind: 'tick' });
      return;
    case 16:
      world.now = Math.max(world.now, nextDeadline(world.state) ?? 0);
      world.input({ kind: 'tick' });
      return;
    case 17:
    case 18:
      if (waiting?.phase.kind !== 'waiting') return;
      if (waiting.phase.wait.kind === 'gate')
        world.input({
          kind: 'gate-answered',
          taskId: waiting.task.id,
          approve: roll(telling.mood === undoing ? 2 : 4) > 0,
          note: '',
        });
      else
        world.input({
          kind: 'escalation-answered',
          taskId: waiting.task.id,
          action: pick(roll, ['retry', 'retry', 'skip', 'fail', 'accept'] as const) ?? 'fail',
          note: 'so be it',
        });
      return;
    default:
      return;
  }
}

/** Late messages, requests of clients, and who is there. */
function surroundings(happening: Happening): void {
  const { world, any, telling, roll } = happening;
  switch (happening.number) {
    case 19:
    case 20: {
      // Late and repeated messages.
      const old = pick(roll, world.inputs);
      if (old !== undefined && old.kind !== 'offer' && old.kind !== 'cancel')
        world.feed({ ...old, at: world.now });
      return;
    }
    case 21:
      world.input(roll(2) === 0 ? { kind: 'pause', reason: 'wait' } : { kind: 'resume' });
      return;
    case 22:
      if (roll(30) === 0) world.input({ kind: 'cancel', reason: '' });
      else if (any !== undefined && roll(5) === 0)
        world.input({ kind: 'cancel', taskId: any.task.id, reason: '' });
      return;
    case 23:
      if (any === undefined || telling.added > 4) return;
      telling.added += 1;
      world.input({
        kind: 'add-tasks',
        tasks: [
          task({
            id: `new${telling.added}`,
            dependsOn: roll(2) === 0 ? [] : [any.task.id],
            workspace: [pick(roll, folders) ?? 'src'],
          }),
        ],
      });
      return;
    case 24:
      // Who is there, of those there ever are; nobody; or somebody nobody knows yet.
      world.input({
        kind: 'fleet',
        workers: [...workers.filter(() => roll(2) === 0), ...(roll(6) === 0 ? [{}] : [])],
        ...(roll(3) === 0 ? { note: 'the last one ended' } : {}),
      });
      return;
    case 25:
      if (any !== undefined)
        world.input({ kind: 'rollback', taskId: any.task.id, withDependants: roll(2) === 0, reason: '' });
      return;
    default:
      return;
  }
}

function react(world: World, roll: (sides: number) => number, effect: ReturnType<typeof owed>[number]): void {
  if (effect.kind !== 'review' || roll(3) > 0) {
    world.perform(effect);
    return;
  }
  world.input({
    kind: 'reviewed',
    taskId: effect.taskId,
    fence: effect.submitted.fence,
    outcome: pick(roll, ['rejected', 'rejected', 'timed-out', 'failed'] as const) ?? 'failed',
    findings: [],
    text: 'not like this',
  });
}

interface Story {
  readonly choices: readonly TaskChoice[];
  readonly options: PlanOptions;
  readonly seed: number;
  readonly steps: number;
}

function tell({ choices, options, seed, steps }: Story, mood: Mood): void {
  const world = new World(plan(choices.map(taskOf), options), workers);
  const telling: Telling = { roll: dice(seed), mood, added: 0 };
  world.input({ kind: 'start' });
  for (let step = 0; step < steps && !world.ended; step += 1) happen(world, telling);
  world.finish();
  world.checkMoves();
  world.input({ kind: 'rollback', withDependants: false, reason: 'it was all wrong' });
  world.finishRollback();
  world.checkReplay();
  world.checkAdvance();
  world.checkMoves();
}

const story = (tasks: fc.Arbitrary<TaskChoice>, options: fc.Arbitrary<PlanOptions>): fc.Arbitrary<Story> =>
  fc.record({
    choices: fc.array(tasks, { minLength: 1, maxLength: 15 }),
    options,
    seed: fc.integer(),
    steps: fc.integer({ min: 0, max: 200 }),
  });

/** Tasks that are integrated, so that batches grow, fail, are bisected and built on. */
const integrated = taskChoice.map((choice): TaskChoice => ({
  ...choice,
  kind: 'implement',
  requires: [],
  onFailure: choice.onFailure === 'fail-run' ? 'continue' : choice.onFailure,
}));

describe('a run in any world keeps the numbered invariants after every fact, and ends', () => {
  it('when anything happens', () => {
    const stories = story(taskChoice, planChoice as fc.Arbitrary<PlanOptions>);
    fc.assert(
      fc.property(stories, (told) => tell(told, anything)),
      { numRuns: runs },
    );
  });

  it.each(['batch', 'each'] as const)('when gates send back and roll back (%s)', (when) => {
    const options = fc.constant({ when, workers: 4 } satisfies PlanOptions);
    const gated = taskChoice.map((choice): TaskChoice => ({
      ...choice,
      kind: choice.kind === 'verify' ? 'manual' : choice.kind,
      requires: [],
    }));
    fc.assert(
      fc.property(story(gated, options), (told) => tell(told, undoing)),
      { numRuns: runs },
    );
  });

  it.each(['batch', 'end'] as const)('when changes are bad, conflict and are built on (%s)', (when) => {
    const options = fc.constant({ when, workers: 4 } satisfies PlanOptions);
    fc.assert(
      fc.property(story(integrated, options), (told) => tell(told, integrations)),
      { numRuns: runs },
    );
  });
});
