import { AppError, type AttemptKey, type CommitId, type TaskAssignment } from '@switchyard/protocol';
import { sleep, type Random } from '@switchyard/runtime';
import type { WorkerDaemon } from '../../apps/worker/src/daemon.ts';
import { between, reportOf, type AttemptReport } from './labour.ts';
import type { Surroundings } from './surroundings.ts';
import type { Life } from './world.ts';

type Workshop = ConstructorParameters<typeof WorkerDaemon>[0]['workshop'];
type Context = Parameters<Workshop['perform']>[1];
type Ended = Awaited<ReturnType<Workshop['perform']>>;
type HeldAttempt = Awaited<ReturnType<Workshop['findHeld']>>[number];

/** What a worker's disk has of an attempt. */
interface Folder {
  readonly assignment: TaskAssignment;
  /** Something may have been done in it. */
  hasWork: boolean;
  /** What had been done when it ended and could not be handed over. */
  left?: boolean;
}

/** The folders of attempts on a worker's disk; they outlive its lives. */
export type AttemptFolders = Map<string, Folder>;

const orchestratorLookMs = 700;

export interface WorkshopPlace {
  readonly life: Life;
  readonly folders: AttemptFolders;
  /** A version that knows nothing of work in progress takes the folders of its life before away. */
  readonly isForgetful: boolean;
}

/** What a worker's machine does with an attempt, decided by the seed and the attempt's name alone. */
export function workshopOf(sim: Surroundings, { life, folders, isForgetful }: WorkshopPlace): Workshop {
  return {
    findHeld: (isReported) => {
      if (isForgetful) folders.clear();
      return Promise.resolve(findHeld(sim, { life, folders, isReported }));
    },
    perform: (assignment, context) => {
      const folder: Folder = { assignment, hasWork: false };
      folders.set(nameOf(assignment), folder);
      return new SimAttempt(sim, { life, folders, folder }, context).perform();
    },
  };
}

interface Bench {
  readonly life: Life;
  readonly folders: AttemptFolders;
  readonly folder: Folder;
}

/** An attempt as a worker's machine carries it out: some time, and a result, a failure, or what it had come to. */
class SimAttempt {
  private readonly sim: Surroundings;
  private readonly bench: Bench;
  private readonly context: Context;
  private readonly fate: Random;

  constructor(sim: Surroundings, bench: Bench, context: Context) {
    this.sim = sim;
    this.bench = bench;
    this.context = context;
    const { workspacePath, taskId, fence } = bench.folder.assignment;
    this.fate = sim.world.fate(`attempt ${workspacePath} ${taskId}#${fence}`);
  }

  async perform(): Promise<Ended> {
    const { folder, life, folders } = this.bench;
    const report = await this.outcome();
    const wants = report.type !== 'task-completed' && folder.hasWork && this.fate.next() < 0.8;
    const hasLeft = wants && !this.sim.isUp();
    const wip = wants && !hasLeft ? partOf(this.sim, folder.assignment) : undefined;
    const forget = (): Promise<void> => {
      if (hasLeft) folder.left = true;
      else if (life.alive) folders.delete(nameOf(folder.assignment));
      return Promise.resolve();
    };
    return { report: wip === undefined ? report : withWip(report, wip), hasLeft, forget };
  }

  private async outcome(): Promise<AttemptReport> {
    const { life, folder } = this.bench;
    const { assignment } = folder;
    const startedAt = this.sim.world.clock(life).now();
    try {
      await this.work();
    } catch (error) {
      if (!this.context.signal.aborted) throw error;
      const { run, taskId, attempt, fence } = assignment;
      return { type: 'task-lost', payload: { run, taskId, attempt, fence, reason: 'it was stopped' } };
    }
    const finishedAt = this.sim.world.clock(life).now();
    return reportOf(this.sim, { assignment, fate: this.fate, startedAt, finishedAt, worker: life.name });
  }

  private async work(): Promise<void> {
    const { fate, sim } = this;
    const { progress, signal } = this.context;
    const clock = sim.world.clock(this.bench.life);
    const { folder } = this.bench;
    progress.enter('preparing');
    await sleep(clock, between(fate, 5, 300), signal);
    folder.hasWork = folder.assignment.kind === 'implement';
    progress.enter('running');
    const isLong = fate.next() < 0.2;
    for (let part = 0; part < (isLong ? 3 : 1); part += 1) {
      if (part > 0) this.tellWip();
      await sleep(clock, between(fate, 20, isLong ? 13_000 : 6_000), signal);
    }
    progress.enter('checking');
    await sleep(clock, between(fate, 5, 300), signal);
    // What was made is pushed to the orchestrator, which may be away.
    while (!sim.isUp()) await sleep(clock, orchestratorLookMs, signal);
  }

  /** What is done so far is pushed, if that can be. */
  private tellWip(): void {
    const { folder } = this.bench;
    if (folder.hasWork && this.sim.isUp()) this.context.tellWip(partOf(this.sim, folder.assignment));
  }
}

interface Search {
  readonly life: Life;
  readonly folders: AttemptFolders;
  readonly isReported: (attempt: AttemptKey) => boolean;
}

/** What the life before left on the disk, and what a machine would find of it. */
function findHeld(sim: Surroundings, { life, folders, isReported }: Search): HeldAttempt[] {
  return [...folders].flatMap(([name, { assignment, hasWork, left = false }]) => {
    const { run, taskId, attempt, fence } = assignment;
    const key = { run, taskId, attempt, fence };
    const forget = (): Promise<void> => {
      if (life.alive) folders.delete(name);
      return Promise.resolve();
    };
    if (!left && isReported(key)) {
      folders.delete(name);
      return [];
    }
    const fate = sim.world.fate(`left ${taskId}#${fence}`);
    const handOver = async (leaving: AbortSignal): Promise<CommitId | undefined> => {
      const clock = sim.world.clock(life);
      await sleep(clock, between(fate, 1, 3_000), leaving);
      if (!hasWork || fate.next() < 0.2) return undefined;
      if (fate.next() < 0.1) throw new AppError('E_IO', 'the folder of an attempt cannot be read');
      while (!sim.isUp()) await sleep(clock, orchestratorLookMs, leaving);
      return partOf(sim, assignment);
    };
    return [{ attempt: key, handOver, forget }];
  });
}

/** A part of the work, pushed. */
function partOf(
  { git }: Surroundings,
  { run, taskId, fence, base, workspacePath }: TaskAssignment,
): CommitId {
  return git.push(base, [`${workspacePath}/half.ts`], `${run}/${taskId}#${fence}`);
}

function withWip(report: AttemptReport, wip: CommitId): AttemptReport {
  switch (report.type) {
    case 'task-completed':
      return report;
    case 'task-failed':
      return { ...report, payload: { ...report.payload, wip } };
    case 'task-lost':
      return { ...report, payload: { ...report.payload, wip } };
    case 'escalation':
      return { ...report, payload: { ...report.payload, wip } };
  }
}

function nameOf({ run, taskId, fence }: AttemptKey): string {
  return `${run}/${taskId}#${fence}`;
}
