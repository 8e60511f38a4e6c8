import type { Finding, TaskId } from '@switchyard/protocol';
import { isTerminal, leaseOf, type Decision } from './decision.ts';
import { revoke } from './run-end.ts';

/** What a rejected gate goes back to. */
export interface BeforeGate {
  /** The nearest tasks before it that change files. */
  readonly work: readonly TaskId[];
  /** Reviews, verifications and gates between those and it: they are made again. */
  readonly between: readonly TaskId[];
}

/** What stands before a gate, as far back as the work it judges. */
export function beforeGate(decision: Decision, gate: TaskId): BeforeGate {
  const work = new Set<TaskId>();
  const between = new Set<TaskId>();
  const look = [...decision.task(gate).task.dependsOn];
  for (let id = look.pop(); id !== undefined; id = look.pop()) {
    const { task, phase } = decision.task(id);
    if (task.kind === 'implement') {
      if (phase.kind === 'completed') work.add(id);
    } else if (!between.has(id)) {
      between.add(id);
      look.push(...task.dependsOn);
    }
  }
  return { work: [...work], between: [...between] };
}

/**
 * A gate sends the work before it back: the next attempts find the note among their findings, what judged the work
 * judges it again, and the gate opens again behind them. What was merged stays; the next attempt builds on it. What
 * others have begun on it begins anew, but for what waits only for its merge.
 */
export function sendBack(decision: Decision, gate: TaskId, note: string): void {
  const { work, between } = beforeGate(decision, gate);
  const reason = `${gate} sent it back: ${note}`.slice(0, 1000);
  const finding: Finding = {
    severity: 'major',
    category: 'gate',
    description: `The gate ${gate} rejected the work: ${note}`.slice(0, 4000),
    references: [],
  };
  for (const taskId of work) {
    const { round } = decision.task(taskId);
    const findings = [finding];
    const again = { round: round + 1, roundsBefore: round };
    decision.emit({ kind: 'task-sent-back', taskId, because: gate, findings, ...again, reason });
  }
  // One that failed and lets the others go on has nothing to judge again.
  const judged = between.filter((taskId) => decision.task(taskId).phase.kind === 'completed');
  for (const taskId of [...judged, gate]) {
    const { round } = decision.task(taskId);
    const next = taskId === gate ? round + 1 : round;
    decision.emit({ kind: 'task-sent-back', taskId, because: gate, findings: [], round: next, reason });
  }
  for (const taskId of [...work, ...judged]) restartDependants(decision, taskId, reason);
}

/** What was begun on a task begins anew behind it; what has its result on the way to the branch goes on. */
function restartDependants(decision: Decision, because: TaskId, reason: string): void {
  for (const taskId of decision.state.index.dependants.get(because) ?? []) {
    const task = decision.task(taskId);
    const { kind } = task.phase;
    if (isTerminal(task) || kind === 'pending' || kind === 'integrating' || kind === 'verifying') continue;
    if (leaseOf(task) !== undefined) revoke(decision, taskId, reason);
    decision.emit({ kind: 'task-reopened', taskId, because, reason });
  }
}
