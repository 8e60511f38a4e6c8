import {
  limits,
  slugOf,
  specialization,
  type AcceptanceItem,
  type ExecutorSpec,
  type GateSpec,
  type ReviewSpec,
  type Specialization,
  type TaskKind,
} from '@switchyard/protocol';
import type { ExecutorOfFile, GateOfFile, PlanFile, ReviewOfFile, TaskOfFile } from './file-schema.ts';
import { checkPath } from './repository-path.ts';

/** Requests a minute to models that a run may make, unless its plan says otherwise. */
const defaultRpm = 3800;
const defaultRetries = 2;
const defaultRounds = 3;

/** Fills in every default and resolves every short form. The answer still has to pass `plan` of protocol. */
export function canonicalPlan(file: PlanFile, fileName: string): unknown {
  return {
    version: 1,
    name: file.name ?? slugOf((fileName.split(/[/\\]/).at(-1) ?? '').replace(/\.[^.]*$/, '')),
    ...optional('base', file.base),
    strategy: file.strategy ?? 'auto',
    limits: { workers: limits.localWorkers, rpm: defaultRpm, ...file.limits },
    retryPolicy: file.retryPolicy ?? {},
    ...optional('setup', canonicalSetup(file.setup)),
    scratch: listOf(file.scratch).map(normal),
    include: listOf(file.include).map(normal),
    verify: canonicalVerify(file.verify),
    tasks: file.tasks.map((task) => canonicalTask(task, file.defaults ?? {})),
  };
}

type Defaults = NonNullable<PlanFile['defaults']>;

function canonicalTask(task: TaskOfFile, defaults: Defaults): unknown {
  const kind = task.kind ?? 'implement';
  const all = { ...defaults, ...task };
  return {
    id: task.id,
    kind,
    instructions: task.instructions ?? '',
    workspace: [...new Set(listOf(task.workspace).map(normal))],
    // To a review, paths are what it looks at, which is no matter of defaults.
    reads: canonicalReads(kind === 'review' ? task.reads : all.reads),
    dependsOn: [...new Set(listOf(task.dependsOn))],
    ...optional('workerType', all.workerType),
    requires: all.requires ?? [],
    estimate: task.estimate ?? {},
    executor: canonicalExecutor(task.executor, sharedExecutor(task, defaults), kind),
    acceptance: listOf(task.acceptance).map(canonicalAcceptance),
    review: canonicalReview(task.review, defaults.review, kind),
    mcpServers: all.mcpServers ?? [],
    onFailure: all.onFailure ?? 'skip-dependents',
    timeoutMs: all.timeoutMinutes === undefined ? limits.attemptTimeoutMs : milliseconds(all.timeoutMinutes),
    retries: all.retries ?? defaultRetries,
    resume: all.resume ?? 'clean',
    ...optional('followUps', all.followUps),
    ...optional('questions', all.questions),
    ...optional('gate', kind === 'manual' ? canonicalGate(task.gate) : undefined),
  };
}

/** Commands that `defaults` gives to every task do its work; they are not what verifies it where it says that itself. */
function sharedExecutor(task: TaskOfFile, { executor }: Defaults): ExecutorOfFile | undefined {
  const saysHow = listOf(task.acceptance).some((item) => typeof item !== 'string' && 'run' in item);
  return task.kind === 'verify' && saysHow && kindOf(executor) === 'command' ? undefined : executor;
}

function canonicalReads(reads: TaskOfFile['reads']): unknown {
  return Array.isArray(reads) ? reads.map(normal) : (reads ?? 'all');
}

/** The task's executor over that of `defaults`; only one of the same kind lends its fields. */
function canonicalExecutor(
  own: ExecutorOfFile | undefined,
  shared: ExecutorOfFile | undefined,
  kind: TaskKind,
): ExecutorSpec {
  const nothing: ExecutorSpec = { kind: 'command', run: [] };
  if (kind === 'manual') return nothing;
  const chosen = kindOf(own) ?? kindOf(shared) ?? 'command';
  const base = (kindOf(shared) ?? chosen) === chosen ? shared : undefined;
  const merged = { ...base, ...own };
  switch (chosen) {
    case 'command':
      return { kind: 'command', run: listOf(merged.run) };
    case 'acp':
      return {
        kind: 'acp',
        agent: merged.agent ?? '',
        ...optional('model', merged.model),
        ...optional('mode', merged.mode),
      };
    case 'cli':
      return {
        kind: 'cli',
        agent: merged.agent ?? '',
        ...optional('model', merged.model),
        ...optional('mode', merged.mode),
      };
    case 'llm':
      return { kind: 'llm', model: merged.model ?? '', ...optional('mode', merged.mode) };
  }
}

function kindOf(executor: ExecutorOfFile | undefined): ExecutorSpec['kind'] | undefined {
  if (executor?.kind !== undefined) return executor.kind;
  if (executor?.run !== undefined) return 'command';
  if (executor?.agent !== undefined) return 'acp';
  return executor?.model === undefined ? undefined : 'llm';
}

type AcceptanceOfFile = Extract<NonNullable<TaskOfFile['acceptance']>, readonly unknown[]>[number];

function canonicalAcceptance(item: AcceptanceOfFile): AcceptanceItem {
  if (typeof item === 'string') return { kind: 'text', text: item };
  if ('run' in item) return { kind: 'run', run: item.run, ...optional('text', item.text) };
  return { kind: 'text', text: item.text };
}

function canonicalGate(gate: GateOfFile | undefined): GateSpec | undefined {
  if (gate === undefined) return undefined;
  const mode = gate.mode ?? 'approve';
  const waitMs = mode === 'notify' ? limits.gateNotifyMs : limits.gateWaitMs;
  return {
    mode,
    waitMs: gate.waitMinutes === undefined ? waitMs : milliseconds(gate.waitMinutes),
    inputs: listOf(gate.inputs).map((input) => {
      if (typeof input === 'string') return { name: input, text: '', choices: [] };
      return {
        name: input.name,
        text: input.text ?? '',
        choices: input.choices ?? [],
        ...optional('default', input.default),
      };
    }),
    ...optional('onReject', gate.onReject),
    ...optional('rounds', gate.rounds),
  };
}

type ReviewFields = Exclude<ReviewOfFile, string | boolean>;

function canonicalReview(
  own: ReviewOfFile | undefined,
  shared: ReviewOfFile | undefined,
  kind: TaskKind,
): ReviewSpec {
  const reviewed = kind === 'implement' || kind === 'review';
  const merged: ReviewFields = { ...(reviewed ? reviewFields(shared) : {}), ...reviewFields(own) };
  return {
    mode: merged.mode ?? (reviewed ? 'required' : 'never'),
    specializations: [...new Set(listOf(merged.specializations).map(plainSpecialization))],
    rounds: merged.rounds ?? defaultRounds,
    timeoutMs:
      merged.timeoutMinutes === undefined ? limits.reviewTimeoutMs : milliseconds(merged.timeoutMinutes),
    onTimeout: merged.onTimeout ?? 'escalate',
    ...optional('quorum', merged.quorum),
  };
}

function reviewFields(review: ReviewOfFile | undefined): ReviewFields {
  if (review === undefined) return {};
  if (typeof review === 'boolean') return { mode: review ? 'required' : 'never' };
  return typeof review === 'string' ? { mode: review } : review;
}

/** `reviewer-security` is an older name of `security`. */
function plainSpecialization(name: string): Specialization {
  return specialization.parse(name.replace(/^reviewer-/, ''));
}

function canonicalSetup(setup: PlanFile['setup']): unknown {
  if (setup === undefined) return undefined;
  if (typeof setup === 'string' || Array.isArray(setup)) return { run: listOf(setup), network: [] };
  return { run: listOf(setup.run), network: listOf(setup.network) };
}

function canonicalVerify(verify: PlanFile['verify']): unknown {
  const fields =
    verify === undefined || typeof verify === 'string' || Array.isArray(verify) ? { run: verify } : verify;
  return {
    run: listOf(fields.run),
    when: ('when' in fields ? fields.when : undefined) ?? 'batch',
    timeoutMs:
      'timeoutMinutes' in fields && fields.timeoutMinutes !== undefined
        ? milliseconds(fields.timeoutMinutes)
        : limits.attemptTimeoutMs,
  };
}

/** Paths have been checked before; one that does not pass is left for the last check to refuse. */
function normal(path: string): string {
  const checked = checkPath(path, 'Path', { pattern: true });
  return checked.kind === 'ok' ? checked.path : path;
}

function milliseconds(minutes: number): number {
  return Math.round(minutes * 60_000);
}

function listOf<Item>(value: Item | readonly Item[] | undefined): Item[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? [...(value as readonly Item[])] : [value as Item];
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
}
