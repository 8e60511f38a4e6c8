import {
  AppError,
  commitId,
  peerId,
  type AttemptKey,
  type Failure,
  type Finding,
  type Receipt,
  type ReviewAssignment,
  type TaskAssignment,
} from '@switchyard/protocol';
import type { Random } from '@switchyard/runtime';
import { sleep } from '@switchyard/runtime';
import type { ReviewerDaemon } from '../../apps/reviewer/src/daemon.ts';
import type { WorkerDaemon } from '../../apps/worker/src/daemon.ts';
import type { Surroundings } from './surroundings.ts';
import type { Life } from './world.ts';

type Room = ConstructorParameters<typeof ReviewerDaemon>[0]['room'];
type Workshop = ConstructorParameters<typeof WorkerDaemon>[0]['workshop'];
/** How an attempt ends. */
export type AttemptReport = Awaited<ReturnType<Workshop['perform']>>['report'];
type Evidence = Extract<AttemptReport, { type: 'task-completed' }>['payload']['evidence'];

/** What a reviewer's machine does with a review. */
export function roomOf(sim: Surroundings, life: Life): Room {
  return {
    clear: () => Promise.resolve(),
    async review(assignment, { signal }) {
      const fate = sim.world.fate(
        `review ${assignment.taskId}#${assignment.fence} ${assignment.specialization}`,
      );
      const hangs = fate.next() < 0.03;
      await sleep(sim.world.clock(life), hangs ? 600_000 : between(fate, 20, 4_000), signal);
      if (fate.next() < 0.04) throw new AppError('E_SANDBOX', 'the engine broke');
      return { findings: fate.next() < 0.15 ? [findingOf(assignment)] : [], filesAnalyzed: 1, strengths: [] };
    },
  };
}

/** An attempt whose work is done. */
export interface Done {
  readonly assignment: TaskAssignment;
  readonly fate: Random;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly worker: string;
}

type Outcome = Failure['class'] | 'escalation' | 'cheat' | 'good';

/** Of 200 attempts. */
const outcomes: readonly (readonly [Outcome, number])[] = [
  ['io', 12],
  ['parsing', 2],
  ['logic', 3],
  ['system', 5],
  ['throttled', 2],
  ['exhausted', 2],
  ['fatal', 1],
  ['escalation', 4],
  ['cheat', 9],
  ['good', 160],
];

/** What a worker tells of it. */
export function reportOf(sim: Surroundings, done: Done): AttemptReport {
  const { assignment, fate } = done;
  const { run, taskId, attempt, fence } = assignment;
  const ref: AttemptKey = { run, taskId, attempt, fence };
  const outcome = drawn(fate);
  if (outcome === 'escalation')
    return {
      type: 'escalation',
      payload: { ...ref, reason: 'two ways lead there', attemptedSolutions: ['one'] },
    };
  if (outcome === 'good' || outcome === 'cheat') {
    const evidence = evidenceOf(sim, done, outcome === 'cheat' ? cheatOf(fate) : undefined);
    const payload = {
      ...ref,
      result: 'done',
      filesModified: [],
      testsPass: true,
      acceptanceCriteria: {},
      evidence,
    };
    return { type: 'task-completed', payload };
  }
  const waits = outcome === 'throttled' || (outcome === 'exhausted' && fate.next() < 0.7);
  const failure: Failure = {
    class: outcome,
    code: 'E_COMMAND_FAILED',
    message: `a failure of class ${outcome}`,
    ...(waits ? { retryAfterMs: between(fate, 500, 40_000) } : {}),
  };
  return { type: 'task-failed', payload: { ...ref, error: failure.message, failure } };
}

const cheats = ['nothing', 'outside', 'unproven', 'unpushed', 'elsewhere'] as const;
type Cheat = (typeof cheats)[number];

function cheatOf(fate: Random): Cheat {
  return cheats[between(fate, 0, cheats.length - 1)] ?? 'nothing';
}

/** What is handed in; `cheat`: what is wrong with it. */
function evidenceOf({ git }: Surroundings, done: Done, cheat: Cheat | undefined): Evidence {
  const { assignment, startedAt, finishedAt, worker } = done;
  const { base, run, taskId, fence } = assignment;
  const common = { base, filesChanged: [], sandbox: 'bubblewrap' as const, worker: peerId.parse(worker) };
  const times = { startedAt, finishedAt };
  if (assignment.kind !== 'implement' || cheat === 'nothing')
    return { ...common, ...times, receipts: receiptsOf(assignment, base) };
  const paths = [
    `${assignment.workspacePath}/index.ts`,
    ...(cheat === 'outside' ? ['elsewhere/index.ts'] : []),
  ];
  const name = `${run}/${taskId}#${fence}`;
  const commit = cheat === 'unpushed' ? commitId.parse('d'.repeat(40)) : git.push(base, paths, name);
  const receipts = cheat === 'unproven' ? [] : receiptsOf(assignment, commit);
  const told = cheat === 'elsewhere' ? git.head : base;
  return { ...common, ...times, commit, base: told, receipts };
}

function receiptsOf({ acceptance }: TaskAssignment, commit: Receipt['commit']): Receipt[] {
  return acceptance.flatMap((item) => (item.kind === 'run' ? [receiptOf(item.run, commit, 0)] : []));
}

/** A command's receipt. */
export function receiptOf(command: string, commit: Receipt['commit'], exitCode: number): Receipt {
  return {
    criterion: command,
    command,
    commit,
    exitCode,
    ended: 'exited',
    durationMs: 1,
    startedAt: 1,
    outputTail: '',
    truncated: false,
  };
}

function findingOf({ filesChanged, specialization }: ReviewAssignment): Finding {
  const file = filesChanged[0]?.path ?? 'index.ts';
  return {
    severity: 'major',
    category: specialization,
    file,
    description: 'a name says nothing',
    references: [],
  };
}

function drawn(fate: Random): Outcome {
  let rest = fate.next() * outcomes.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [outcome, weight] of outcomes) {
    rest -= weight;
    if (rest < 0) return outcome;
  }
  return 'good';
}

/** A whole number from `least` to `most`. */
export function between(fate: Random, least: number, most: number): number {
  return least + Math.floor(fate.next() * (most - least + 1));
}
