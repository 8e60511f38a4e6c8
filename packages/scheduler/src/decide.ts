import { AppError } from '@switchyard/protocol';
import { decideAttempt } from './decide-attempt.ts';
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
import { decideDeadlines, decideEscalation, decideGate } from './decide-wait.ts';
import { Decision } from './decision.ts';
import { settleDependants } from './dependencies.ts';
import type { RunFact } from './fact.ts';
import type { RunInput } from './input.ts';
import { leaseTasks } from './lease-tasks.ts';
import { failUnmatched, matchTasks } from './match-tasks.ts';
import { decideNextBatch } from './next-batch.ts';
import { endRun, stopRun } from './run-end.ts';
import type { RunState } from './state.ts';

/**
 * What follows from an input: facts for the journal, folded by `evolve` one after the other. Changes nothing itself.
 *
 *     pending → ready → leased → preparing → running → reviewing → integrating → verifying → completed
 *                 ↑________ lost, failed, rejected, conflict ________|______________|
 *
 * Invariants, checked after every fact by the property tests:
 *  (1) no lease before all dependencies are there (on the branch or the candidate, or failed with `continue`);
 *  (2) no two tasks hold overlapping paths; (3) slots, labels and the run's cap are respected;
 *  (4) fences only grow, and a stale fence changes nothing; (5) a change is in exactly one move of the branch;
 *  (6) every run ends when the world answers; (7) a task never leaves a phase that is an end;
 *  (8) a run that has not ended owes something, has a deadline, waits for a peer, or is paused;
 *  (9) folding the facts again gives the same state; (10) facts are plain data.
 *
 * Throws AppError E_RUN_STATE, E_TASK_UNKNOWN and E_PLAN_INVALID for requests of clients that cannot be met; never for
 * what peers say late or twice.
 */
export function decide(state: RunState | undefined, input: RunInput): readonly RunFact[] {
  if (input.kind === 'create') {
    if (state !== undefined) throw new AppError('E_RUN_STATE', `run ${state.run} is there already`);
    return decideCreate(input);
  }
  if (state === undefined) throw new Error(`a run begins with create, not ${input.kind}`);
  const decision = new Decision(state, input.at);
  takeInput(decision, input);
  settle(decision);
  return decision.facts;
}

function takeInput(decision: Decision, input: Exclude<RunInput, { kind: 'create' }>): void {
  switch (input.kind) {
    case 'start':
      decideStart(decision);
      return;
    case 'offer':
      releaseDelayed(decision);
      leaseTasks(decision, input);
      return;
    case 'fleet':
      matchTasks(decision, input);
      return;
    case 'accepted':
    case 'progressed':
    case 'submitted':
    case 'attempt-failed':
    case 'escalated':
    case 'lost':
      decideAttempt(decision, input);
      return;
    case 'reviewed':
      decideReviewed(decision, input);
      return;
    case 'merged':
    case 'verified':
    case 'moved':
    case 'integration-errored':
    case 'branch-lost':
      decideIntegration(decision, input);
      return;
    case 'gate-answered':
      decideGate(decision, input);
      return;
    case 'escalation-answered':
      decideEscalation(decision, input);
      return;
    case 'add-tasks':
      decideAddTasks(decision, input);
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
    case 'tick':
      decideTick(decision);
      return;
  }
}

/** What follows by itself, in one pass: begin or skip dependants, integrate what waits, end when nothing is left. */
function settle(decision: Decision): void {
  if (decision.state.phase.kind === 'running') settleDependants(decision);
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
    decision.emit({ kind: 'run-resumed', reason: 'the quota should be there again' });
  releaseDelayed(decision);
  failUnmatched(decision);
  decideDeadlines(decision);
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
