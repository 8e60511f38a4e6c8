import {
  commitId,
  peerId,
  plan as planSchema,
  planTask,
  runId,
  taskId,
  type CommitId,
  type Evidence,
  type Failure,
  type FailureClass,
  type PeerId,
  type Plan,
  type PlanTask,
  type Receipt,
  type TaskId,
} from '@switchyard/protocol';

export const id = (text: string): TaskId => taskId.parse(text);
export const peer = (text: string): PeerId => peerId.parse(text);
export const commit = (number: number): CommitId => commitId.parse(number.toString(16).padStart(40, '0'));
export const run = runId.parse('test-run-abcdef');
export const base = commit(0);

export interface TaskOptions {
  readonly id: string;
  readonly kind?: PlanTask['kind'];
  readonly dependsOn?: readonly string[];
  readonly workspace?: readonly string[];
  readonly requires?: readonly string[];
  readonly workerType?: string;
  readonly minutes?: number;
  readonly rpm?: number;
  readonly rounds?: number;
  readonly review?: 'required' | 'optional' | 'never';
  readonly onFailure?: PlanTask['onFailure'];
  readonly retries?: number;
  readonly resume?: PlanTask['resume'];
  /** Of kind manual: what a rejection does. */
  readonly followUps?: PlanTask['followUps'];
  readonly onReject?: 'fail' | 'send-back' | 'roll-back';
}

/** A task of a plan; its workspace is a folder of its own unless given. */
export function task(options: TaskOptions): PlanTask {
  const { kind = 'implement' } = options;
  return planTask.parse({
    id: options.id,
    kind,
    instructions: `do ${options.id}`,
    workspace: options.workspace ?? (kind === 'implement' ? [`src/${options.id}`] : []),
    reads: 'all',
    dependsOn: options.dependsOn ?? [],
    workerType: options.workerType,
    requires: options.requires ?? [],
    estimate: { minutes: options.minutes, rpm: options.rpm },
    executor: { kind: 'command', run: ['true'] },
    acceptance: [],
    review: {
      mode: options.review ?? 'never',
      specializations: [],
      rounds: options.rounds ?? 3,
      timeoutMs: 60_000,
      onTimeout: 'escalate',
    },
    mcpServers: [],
    onFailure: options.onFailure ?? 'skip-dependents',
    timeoutMs: 60_000,
    retries: options.retries ?? 2,
    resume: options.resume ?? 'clean',
    ...(options.followUps === undefined ? {} : { followUps: options.followUps }),
    ...(kind === 'manual' && options.onReject !== undefined
      ? { gate: { mode: 'approve', waitMs: 60_000, inputs: [], onReject: options.onReject, rounds: 3 } }
      : {}),
  });
}

export interface PlanOptions {
  readonly strategy?: Plan['strategy'];
  readonly workers?: number;
  readonly rpm?: number;
  readonly wallMinutes?: number;
  readonly verify?: readonly string[];
  readonly when?: Plan['verify']['when'];
  readonly retryPolicy?: Partial<Record<FailureClass, number>>;
}

export function plan(tasks: readonly PlanTask[], options: PlanOptions = {}): Plan {
  return planSchema.parse({
    version: 1,
    name: 'test',
    strategy: options.strategy ?? 'max-parallel',
    limits: { workers: options.workers ?? 5, rpm: options.rpm ?? 3800, wallMinutes: options.wallMinutes },
    retryPolicy: options.retryPolicy ?? {},
    scratch: [],
    include: [],
    verify: { run: options.verify ?? ['npm test'], when: options.when ?? 'batch', timeoutMs: 60_000 },
    tasks,
  });
}

export function failure(of: FailureClass, more: Partial<Failure> = {}): Failure {
  return { class: of, code: 'E_COMMAND_FAILED', message: `a failure of class ${of}`, ...more };
}

export function evidence(worker: PeerId, of: { base: CommitId; commit?: CommitId | undefined }): Evidence {
  return {
    ...(of.commit === undefined ? {} : { commit: of.commit }),
    base: of.base,
    filesChanged: of.commit === undefined ? [] : [{ path: 'src/a.ts', change: 'modified' }],
    receipts: [],
    sandbox: 'bubblewrap',
    worker,
    startedAt: 1,
    finishedAt: 2,
    outputTail: '',
  };
}

export function receipt(at: CommitId, exitCode: number): Receipt {
  return {
    criterion: 'npm test',
    command: 'npm test',
    commit: at,
    exitCode,
    ended: 'exited',
    durationMs: 1,
    startedAt: 1,
    outputTail: exitCode === 0 ? '' : 'the last words of a failing test',
    truncated: false,
  };
}
