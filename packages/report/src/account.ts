import {
  severities,
  type AttemptReport,
  type Finding,
  type RunReport,
  type Severity,
  type TaskView,
} from '@switchyard/protocol';
import { countText } from './quantities.ts';

/** One task with all that is known of it. */
export interface TaskAccount {
  readonly view: TaskView;
  readonly attempts: readonly AttemptReport[];
  readonly filesChanged: readonly string[];
  readonly mergeCommit?: string | undefined;
  /** Findings of all reviews of all attempts, most severe first. */
  readonly findings: readonly Finding[];
  /** From the first lease to the last thing that is known. */
  readonly durationMs?: number | undefined;
  /** Why it did not complete, for people. */
  readonly trouble?: string | undefined;
}

/** What both formats tell, worked out once from the report. */
export interface RunAccount {
  readonly tasks: readonly TaskAccount[];
  /** One sentence: how it ended. */
  readonly headline: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isOver: boolean;
  readonly attempts: number;
  readonly rejections: number;
  readonly workers: readonly string[];
  readonly findings: Readonly<Record<Severity, number>>;
  /** Failed tasks with those that were skipped because of them. */
  readonly failures: readonly { readonly task: TaskAccount; readonly skipped: readonly TaskAccount[] }[];
  /** Something is on the run branch that `apply` would bring. */
  readonly hasResult: boolean;
}

/** Works the account of a run out. */
export function accountOf(report: RunReport): RunAccount {
  const { view } = report;
  const tasks = tasksOf(report);
  const attempts = tasks.flatMap((task) => task.attempts);
  const findings = tasks.flatMap((task) => task.findings);
  const lastEvent = report.events.at(-1)?.at ?? view.createdAt;
  return {
    tasks,
    headline: headlineOf(report, tasks),
    startedAt: view.startedAt ?? view.createdAt,
    endedAt: Math.max(view.finishedAt ?? lastEvent, view.startedAt ?? view.createdAt),
    isOver: view.finishedAt !== undefined,
    attempts: attempts.length,
    rejections: attempts.filter((attempt) => attempt.outcome === 'rejected').length,
    workers: [...new Set(attempts.map((attempt) => attempt.worker))].sort(),
    findings: Object.fromEntries(
      severities.map((severity) => [severity, findings.filter((one) => one.severity === severity).length]),
    ) as Record<Severity, number>,
    failures: failuresOf(tasks),
    hasResult: view.tip !== view.base,
  };
}

function tasksOf(report: RunReport): TaskAccount[] {
  const details = new Map(report.tasks.map((task) => [task.id, task]));
  return report.view.tasks.map((view) => {
    const detail = details.get(view.id);
    const attempts = detail?.attempts ?? [];
    const findings = attempts.flatMap((attempt) => attempt.reviews.flatMap((review) => review.findings));
    const first = attempts[0]?.leasedAt;
    const isOver = ['completed', 'failed', 'skipped', 'cancelled', 'rolled-back'].includes(view.phase);
    const last = isOver ? view.since : Math.max(view.since, ...attempts.map((one) => one.endedAt ?? 0));
    return {
      view,
      attempts,
      filesChanged: detail?.filesChanged ?? [],
      mergeCommit: detail?.mergeCommit,
      findings: bySeverity(findings),
      durationMs: first === undefined ? undefined : Math.max(0, last - first),
      trouble: troubleOf(view, attempts),
    };
  });
}

/** Most severe first; within a severity as they came. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return severities.flatMap((severity) => findings.filter((one) => one.severity === severity));
}

function troubleOf(view: TaskView, attempts: readonly AttemptReport[]): string | undefined {
  switch (view.phase) {
    case 'failed':
      return attempts.at(-1)?.failure?.message ?? view.reason ?? 'no reason was given';
    case 'skipped':
    case 'cancelled':
    case 'rolled-back':
      return view.reason ?? 'no reason was given';
    case 'waiting':
      return view.waiting?.text ?? view.reason;
    default:
      return undefined;
  }
}

/** Skipped tasks stand under every failed task that they, directly or not, wait for. */
function failuresOf(tasks: readonly TaskAccount[]): RunAccount['failures'] {
  const dependants = new Map<string, TaskAccount[]>();
  for (const task of tasks) {
    for (const id of task.view.dependsOn) {
      const list = dependants.get(id) ?? [];
      list.push(task);
      dependants.set(id, list);
    }
  }
  return tasks
    .filter((task) => task.view.phase === 'failed')
    .map((task) => ({
      task,
      skipped: reachable(task, dependants).filter((other) => other.view.phase === 'skipped'),
    }));
}

/** What waits for a task, nearest first. */
function reachable(
  from: TaskAccount,
  dependants: ReadonlyMap<string, readonly TaskAccount[]>,
): TaskAccount[] {
  const found = new Set<TaskAccount>();
  const open = [from];
  for (let index = 0; index < open.length; index += 1) {
    for (const next of dependants.get(open[index]?.view.id ?? '') ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return [...found];
}

function headlineOf({ view, verification }: RunReport, tasks: readonly TaskAccount[]): string {
  const count = (phase: TaskView['phase']): number =>
    tasks.filter((task) => task.view.phase === phase).length;
  const total = tasks.length;
  const completed = count('completed');
  const rest = (['failed', 'skipped', 'cancelled', 'rolled-back', 'waiting'] as const)
    .filter((phase) => count(phase) > 0)
    .map((phase) => `${count(phase)} ${phase.replace('-', ' ')}`);
  switch (view.phase) {
    case 'planned':
      return `${countText(total, 'task')} planned`;
    case 'running':
      return `${completed} of ${countText(total, 'task')} completed so far`;
    case 'completed': {
      const checked = verification.at(-1)?.passed === true ? 'merged and verified' : 'merged';
      return completed === total && total > 1
        ? `${total === 2 ? 'both' : `all ${total}`} tasks reviewed as planned, ${checked}`
        : [`${completed} of ${countText(total, 'task')} ${checked}`, ...rest].join(', ');
    }
    case 'failed':
    case 'cancelled':
      return [`${completed} of ${countText(total, 'task')} completed`, ...rest].join(', ');
  }
}
