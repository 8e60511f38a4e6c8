import { AppError } from '@switchyard/protocol';
import { decideAttempt } from './decide-attempt.ts';
import { decideFollowUps } from './follow-ups.ts';
import { decideIntegration } from './decide-integration.ts';
import { decideReviewed } from './decide-review.ts';
import {
  decideAddTasks,
  decideCancel,
  decideCreate,
  decidePause,
  decideResume,
  decideStart,
} from './decide-run.ts';
import { beginRollback, decideRollback } from './decide-rollback.ts';
import { decideUsage } from './decide-usage.ts';
import { decideSalvaged, decideTakeUp, decideWip } from './decide-salvage.ts';
import { decideDeadlines, decideEscalation, decideGate } from './decide-wait.ts';
import { Decision, type FoldedFact } from './decision.ts';
import { settleDependants } from './dependencies.ts';
import type { RunFact } from './fact.ts';
import type { RunInput } from './input.ts';
import { leaseTasks } from './lease-tasks.ts';
import { failUnmatched, matchTasks } from './match-tasks.ts';
import { decideNextBatch } from './next-batch.ts';
import { endRun, stopRun } from './run-end.ts';
import type { PauseCause, RunState } from './state.ts';

/**
 * What follows from an input: facts for the journal, folded by `evolve` one after the other. Changes nothing itself.
 *
 *     pending → ready → leased → preparing → running → reviewing → integrating → verifying → completed
 *                 ↑________ lost, failed, rejected, conflict ________|______________|
 *
 * Invariants, checked after every fact by the property tests:
 *  (1) no lease before all dependencies are there (on the branch or the candidate, or failed with `continue`);
 *  (2) no two tasks hold overlapping paths; (3) slots, labels and the run's cap are respected;
 *  (4) fences only grow, and a stale fence changes nothing; (5) a change is in exactly one move of the branch, and
 *  leaves it only by a rollback, once; (6) every run ends when the world answers; (7) a task leaves a phase that is an
 *  end only where a gate sends it back or a rollback takes it back;
 *  (8) a run that has not ended owes something, has a deadline, waits for a peer, or is paused;
 *  (9) folding the facts again gives the same state; (10) facts are plain data.
 *
 * Throws AppError E_RUN_STATE, E_TASK_UNKNOWN, E_GATE_INPUTS, E_ROLLBACK_DEPENDANTS and E_PLAN_INVALID for requests of clients that cannot be met; never for
 * what peers say late or twice.
 */
export function decide(state: RunState | undefined, input: RunInput): readonly RunFact[] {
  if (input.kind === 'create') {
    if (state !== undefined) throw new AppError('E_RUN_STATE', `run ${state.run} is there already`);
    return decideCreate(input);
  }
  if (state === undefined) throw new Error(`a run begins with create, not ${input.kind}`);
  return factsOf(new Decision(state, input.at), input);
}

/** An input that is never refused: what peers, the fleet, effects and the clock say. */
export type WorldInput = Exclude<RunInput, { kind: RefusableKind }>;
type RefusableKind =
  | 'create'
  | 'start'
  | 'gate-answered'
  | 'escalation-answered'
  | 'take-up'
  | 'add-tasks'
  | 'rollback'
  | 'pause'
  | 'resume'
  | 'raise-budget'
  | 'cancel';

const refusable: ReadonlySet<string> = new Set<RefusableKind>([
  'create',
  'start',
  'gate-answered',
  'escalation-answered',
  'take-up',
  'add-tasks',
  'rollback',
  'pause',
  'resume',
  'raise-budget',
  'cancel',
]);

/** Whether `advance` may take an input. */
export function isWorldInput(input: RunInput): input is WorldInput {
  return !refusable.has(input.kind);
}

/**
 * Decides and folds in one step: `state` is changed in place, which spares the copies that `decide` makes so as to leave
 * it alone. The same facts as `decide`, and the same state as folding them. `folded` is told of each fact behind its fold.
 */
export function advance(state: RunState, input: WorldInput, folded: FoldedFact): readonly RunFact[] {
  return factsOf(new Decision(state, input.at, folded), input);
}

function factsOf(decision: Decision, input: Exclude<RunInput, { kind: 'create' }>): readonly RunFact[] {
  takeInput(decision, input);
  settle(decision);
  return decision.facts;
}

function takeInput(decision: Decision, input: Exclude<RunInput, { kind: 'create' }>): void {
  switch (input.kind) {
    case 'offer':
      releaseDelayed(decision);
      leaseTasks(decision, input);
      return;
    case 'fleet':
      matchTasks(decision, input);
      return;
    case 'accepted':
    case 'progressed':
    case 'violated':
    case 'submitted':
    case 'attempt-failed':
    case 'escalated':
    case 'asked':
    case 'lost':
    case 'contact':
      decideAttempt(decision, input);
      return;
    case 'salvaged':
      decideSalvaged(decision, input);
      return;
    case 'wip-kept':
      decideWip(decision, input);
      return;
    case 'used':
    case 'review-used':
    case 'spent':
      decideUsage(decision, input);
      return;
    case 'reviewed':
      decideReviewed(decision, input);
      return;
    case 'merged':
    case 'reverted':
    case 'verified':
    case 'moved':
    case 'integration-errored':
    case 'branch-lost':
      decideIntegration(decision, input);
      return;
    case 'follow-ups':
      decideFollowUps(decision, input);
      return;
    case 'tick':
      decideTick(decision);
      return;
    default:
      takeRequest(decision, input);
  }
}

/** What a person or a program asks for; it may be refused. */
function takeRequest(
  decision: Decision,
  input: Exclude<RunInput, { kind: 'create' }> & { kind: RefusableKind },
): void {
  switch (input.kind) {
    case 'start':
      decideStart(decision);
      return;
    case 'raise-budget':
      decideUsage(decision, input);
      return;
    case 'gate-answered':
      decideGate(decision, input);
      return;
    case 'escalation-answered':
      decideEscalation(decision, input);
      return;
    case 'take-up':
      decideTakeUp(decision, input);
      return;
    case 'add-tasks':
      decideAddTasks(decision, input);
      return;
    case 'rollback':
      decideRollback(decision, input);
      return;
    case 'pause':
      decidePause(decision, input);
      return;
    case 'resume':
      decideResume(decision);
      return;
    case 'cancel':
      decideCancel(decision, input);
      return;
  }
}

/** What follows by itself, in one pass: begin or skip dependants, integrate what waits, end when nothing is left. */
function settle(decision: Decision): void {
  if (decision.state.phase.kind === 'running') settleDependants(decision);
  beginRollback(decision);
  if (decision.state.phase.kind === 'running') decideNextBatch(decision);
  endRun(decision);
}

function decideTick(decision: Decision): void {
  const { state, at } = decision;
  if (state.phase.kind !== 'running') return;
  const { wallMinutes } = state.plan.limits;
  if (wallMinutes !== undefined && at >= wallEnd(state, wallMinutes)) {
    stopRun(decision, 'failed', `the run took longer than its limit of ${wallMinutes} minutes`);
    return;
  }
  if (state.paused?.until !== undefined && state.paused.until <= at)
    decision.emit({ kind: 'run-resumed', reason: resumeText(state.paused.cause) });
  releaseDelayed(decision);
  failUnmatched(decision);
  decideDeadlines(decision);
}

function resumeText(cause: PauseCause | undefined): string {
  return cause === 'budget' ? 'a new day has its own budget' : 'the quota should be there again';
}

/** Retries whose wait is over. */
function releaseDelayed(decision: Decision): void {
  if (decision.state.phase.kind !== 'running') return;
  for (const taskId of [...decision.state.index.delayed]) {
    const { phase } = decision.task(taskId);
    if (phase.kind === 'ready' && phase.notBefore <= decision.at)
      decision.emit({ kind: 'task-ready', taskId, reason: phase.reason });
  }
}

function wallEnd(state: RunState, wallMinutes: number): number {
  return (state.startedAt ?? state.createdAt) + wallMinutes * 60_000;
}

/**
 * The earliest time at which a `tick` would change something; milliseconds since the epoch. Offer slots after it:
 * tasks may have become ready. Undefined: time alone changes nothing.
 */
export function nextDeadline(state: RunState): number | undefined {
  if (state.phase.kind !== 'running') return undefined;
  const { wallMinutes } = state.plan.limits;
  let earliest = wallMinutes === undefined ? Infinity : wallEnd(state, wallMinutes);
  if (state.paused?.until !== undefined) earliest = Math.min(earliest, state.paused.until);
  for (const id of state.index.delayed) {
    const phase = state.tasks.get(id)?.phase;
    if (phase?.kind === 'ready') earliest = Math.min(earliest, phase.notBefore);
  }
  for (const id of state.paused === undefined ? state.index.unmatched : []) {
    const phase = state.tasks.get(id)?.phase;
    if (phase?.kind === 'ready' && phase.lack !== undefined)
      earliest = Math.min(earliest, phase.lack.deadline);
  }
  for (const id of state.index.waiting) {
    const phase = state.tasks.get(id)?.phase;
    if (phase?.kind === 'waiting') earliest = Math.min(earliest, phase.wait.deadline);
  }
  return earliest === Infinity ? undefined : earliest;
}
