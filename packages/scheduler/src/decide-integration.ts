import {
  howItEnded,
  isPassed,
  type Failure,
  type Finding,
  type Receipt,
  type TaskId,
} from '@switchyard/protocol';
import { isTerminal, type Decision } from './decision.ts';
import type { RunInput } from './input.ts';
import { reopenDependants } from './reopen.ts';
import { rejectByConflict, rejectByVerification } from './reject-task.ts';
import {
  decideReverted,
  decideRevertMoved,
  decideRevertVerified,
  refuseRollback,
} from './decide-rollback.ts';
import { dropBatch, stopRun } from './run-end.ts';
import type { IntegrationState, MergedTask } from './state.ts';

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };
/** Answers of those who merge, verify and move the branch. */
export type IntegrationInput = InputOf<
  'merged' | 'reverted' | 'verified' | 'moved' | 'integration-errored' | 'branch-lost'
>;

/** Times an integration step is tried again after it could not be carried out. */
const errorRetriesMax = 2;

/** An answer counts for the batch that is under way, at the step that is under way. */
export function decideIntegration(decision: Decision, input: IntegrationInput): void {
  const { integration } = decision.state;
  if (integration.kind === 'idle' || integration.decision.batch !== input.batch) return;
  switch (input.kind) {
    case 'merged':
      if (integration.kind === 'merging') decideMerged(decision, input, integration);
      return;
    case 'reverted':
      if (integration.kind === 'merging') decideReverted(decision, input);
      return;
    case 'verified':
      if (integration.kind !== 'verifying') return;
      if (integration.decision.reverts === undefined) decideVerified(decision, input, integration);
      else decideRevertVerified(decision, input, integration);
      return;
    case 'moved':
      if (integration.kind !== 'moving') return;
      if (integration.decision.reverts === undefined) decideMoved(decision, integration);
      else decideRevertMoved(decision, integration);
      return;
    case 'integration-errored':
      decideErrored(decision, input, integration);
      return;
    case 'branch-lost':
      giveUp(decision, `E_RUN_BRANCH_MOVED: ${input.reason}`);
      return;
  }
}

type During<K extends IntegrationState['kind']> = IntegrationState & { readonly kind: K };

function decideMerged(decision: Decision, input: InputOf<'merged'>, during: During<'merging'>): void {
  const { batch, tip } = input;
  const { plan, suspects } = decision.state;
  const entries = new Map(during.decision.entries.map((entry) => [entry.taskId, entry.accepted]));
  const merged = input.merged.filter(({ taskId }) => entries.has(taskId));
  for (const { taskId } of merged) entries.delete(taskId);
  const bisecting = suspects.some((id) => merged.some(({ taskId }) => taskId === id));
  const next =
    merged.length === 0
      ? 'none'
      : plan.verify.when === 'end' && !bisecting
        ? 'defer'
        : plan.verify.run.length > 0
          ? 'verify'
          : 'move';
  decision.emit({ kind: 'tasks-merged', batch, tip, merged, next });
  const findings = new Map(input.conflicts.map((conflict) => [conflict.taskId, conflict.findings]));
  for (const [taskId, { fence }] of entries) {
    // One that was built on a conflicting one is pending again by now.
    if (decision.task(taskId).phase.kind !== 'integrating') continue;
    rejectByConflict(decision, taskId, { fence, findings: findings.get(taskId) ?? [] });
    reopenDependants(decision, taskId);
  }
  if (merged.some(({ taskId }) => decision.task(taskId).phase.kind !== 'verifying'))
    mergeAgain(decision, batch);
}

/** Something was merged whose ground was taken back by a conflict: the others are merged without it. */
function mergeAgain(decision: Decision, batch: number): void {
  dropBatch(decision, batch, 'a change that others are built on conflicts');
  const { suspects, trial } = decision.state;
  if (suspects.length > 0) decision.emit({ kind: 'batch-bisected', batch, suspects, trial });
}

function decideVerified(decision: Decision, input: InputOf<'verified'>, during: During<'verifying'>): void {
  const { batch, passed, receipts } = input;
  const tasks = during.merged.map(({ taskId }) => taskId);
  decision.emit({ kind: 'batch-verified', batch, commit: during.tip, tasks, passed, receipts });
  if (passed) return;
  if (input.parentFails === true) {
    stopRun(decision, 'failed', unverifiable(decision, during));
    return;
  }
  const [only] = tasks;
  if (tasks.length === 1 && only !== undefined) blame(decision, only, receipts);
  const bisecting = decision.state.suspects.length > 0;
  const suspects = tasks.length === 1 || bisecting ? decision.state.suspects : tasks;
  if (suspects.length === 0) return;
  const trial = tasks.length === 1 ? suspects.length : Math.ceil(tasks.length / 2);
  decision.emit({ kind: 'batch-bisected', batch, suspects, trial });
}

function decideMoved(decision: Decision, during: During<'moving'>): void {
  const { decision: decided, from, to, merged } = during;
  const { batch } = decided;
  decision.emit({ kind: 'branch-moved', batch, from, to, merged });
  complete(decision, merged);
  const { suspects } = decision.state;
  // The first of the suspects passed together, so one of the rest is to blame.
  if (suspects.length > 0)
    decision.emit({ kind: 'batch-bisected', batch, suspects, trial: Math.ceil(suspects.length / 2) });
}

function complete(decision: Decision, merged: readonly MergedTask[]): void {
  for (const { taskId, commit } of merged)
    if (!isTerminal(decision.task(taskId))) decision.emit({ kind: 'task-completed', taskId, merged: commit });
}

function decideErrored(
  decision: Decision,
  input: InputOf<'integration-errored'>,
  during: Exclude<IntegrationState, { kind: 'idle' }>,
): void {
  const { batch, failure } = input;
  if (during.tries < errorRetriesMax)
    decision.emit({ kind: 'integration-retried', batch, tries: during.tries + 1, failure });
  else giveUp(decision, `integration failed: ${failure.message}`);
}

/** The batch cannot be finished: the run stops rather than guess what became of it. */
function giveUp(decision: Decision, reason: string): void {
  const { integration, phase } = decision.state;
  if (integration.kind === 'idle') return;
  if (integration.decision.reverts !== undefined) {
    refuseRollback(decision, reason);
    return;
  }
  const { batch, entries } = integration.decision;
  if (phase.kind !== 'stopping') {
    dropBatch(decision, batch, reason);
    stopRun(decision, 'failed', reason);
    return;
  }
  dropBatch(decision, batch, reason);
  for (const { taskId } of entries)
    if (!isTerminal(decision.task(taskId))) decision.emit({ kind: 'task-cancelled', taskId, reason });
}

/** Why nothing more can be integrated, when verification fails with and without the change that is tried. */
function unverifiable(decision: Decision, during: During<'verifying'>): string {
  const failed = [...decision.state.tasks.values()]
    .filter(({ phase }) => phase.kind === 'failed')
    .map(({ task }) => task.id);
  const missing = failed.length === 0 ? '' : ` or needs what failed (${failed.slice(0, 5).join(', ')})`;
  const hint =
    decision.state.plan.verify.when === 'end'
      ? ''
      : '; where only all changes together pass, say `verify: { when: end }`';
  return `E_VERIFY_FAILED: the verification of the plan fails at ${during.decision.parent.slice(0, 12)} already, before the changes of ${during.merged.map(({ taskId }) => taskId).join(', ')}: it does not pass there${missing}${hint}`;
}

/** One task alone makes the verification fail. */
function blame(decision: Decision, taskId: TaskId, receipts: readonly Receipt[]): void {
  const { phase, affinity } = decision.task(taskId);
  if (phase.kind !== 'verifying') return;
  const { commit, fence } = phase.accepted;
  const failed = receipts.find((receipt) => !isPassed(receipt));
  const message = `the merged result does not pass: ${failed === undefined ? 'no command says why' : howItEnded(failed)}`;
  const failure: Failure = {
    class: 'logic',
    code: 'E_VERIFY_FAILED',
    message: message.slice(0, 4000),
    ...(failed === undefined ? {} : { outputTail: failed.outputTail }),
  };
  const finding: Finding = {
    severity: 'major',
    category: 'integration',
    description: describe(message, failed?.outputTail ?? ''),
    suggestion: 'Run the command on a checkout of the run branch with this change and mend what fails.',
    references: [],
  };
  // A change that goes on from its commit keeps its path lease; where that was let go, it begins anew.
  const goesOn = phase.holds ? { continueFrom: commit, affinity } : {};
  rejectByVerification(decision, taskId, { fence, finding, failure, ...goesOn });
  reopenDependants(decision, taskId);
}

/** The message and the end of the output, within the limit of a finding's description. */
function describe(message: string, output: string): string {
  const room = 3900 - message.length;
  return room < 100 || output === '' ? message.slice(0, 4000) : `${message}\n${output.slice(-room)}`;
}
