import {
  failureLine,
  type Finding,
  type PeerId,
  type RunEvent,
  type RunEventKind,
  type TaskId,
} from '@switchyard/protocol';
import { isIntegrationFact, isTaskFact, type IntegrationFact, type RunFact, type TaskFact } from './fact.ts';
import type { RunState } from './state.ts';
import { lackText, progressOf } from './view.ts';

/** An event before it is numbered. */
interface Told {
  readonly kind: RunEventKind;
  readonly text: string;
  readonly taskId?: TaskId;
  readonly worker?: PeerId;
  readonly attempt?: number;
  readonly findings?: readonly Finding[];
}

/**
 * What a fact tells a watcher; mostly one event, none for what only the machine needs. `state`: after the fact.
 * Events of one fact are numbered from `seq` on.
 */
export function eventsOf(state: RunState, fact: RunFact, seq: number): RunEvent[] {
  const told = isTaskFact(fact)
    ? tellTask(state, fact)
    : isIntegrationFact(fact)
      ? tellIntegration(fact)
      : tellRun(state, fact);
  return told.map(({ findings, ...event }, place) => ({
    ...event,
    run: state.run,
    seq: seq + place,
    at: fact.at,
    ...(findings === undefined ? {} : { findings: [...findings] }),
    progress: progressOf(state),
  }));
}

function tellTask(state: RunState, fact: TaskFact): Told[] {
  const { taskId } = fact;
  const record = state.tasks.get(taskId)?.history.at(-1);
  const who = {
    taskId,
    ...(record === undefined ? {} : { worker: record.worker, attempt: record.attempt }),
  };
  switch (fact.kind) {
    case 'task-ready':
      return [{ kind: 'task-ready', taskId, text: `${taskId} is ready` }];
    case 'task-unmatched': {
      const waits = `${taskId} ${lackText(fact.lack)}`;
      return [{ taskId, kind: 'task-assign-failed', text: `${waits}; it fails if none comes in time` }];
    }
    case 'task-matched':
      return [{ taskId, kind: 'task-ready', text: `${taskId} is ready: a worker that can take it has come` }];
    case 'task-leased': {
      const { worker, attempt } = fact.lease;
      const again = attempt === 1 ? '' : ` (attempt ${attempt})`;
      return [{ ...who, kind: 'task-assigned', text: `${taskId} goes to ${worker}${again}` }];
    }
    case 'attempt-accepted':
      return [{ ...who, kind: 'task-running', text: `${taskId} is accepted by its worker` }];
    case 'attempt-progressed':
      return fact.phase === 'running' ? [{ ...who, kind: 'task-running', text: `${taskId} is at work` }] : [];
    case 'task-submitted':
      return [{ ...who, kind: 'task-submitted', text: submittedText(taskId, fact) }];
    case 'attempt-failed':
      return []; // what follows tells it: a retry, a wait, or the end of the task
    case 'attempt-lost':
      return [{ ...who, kind: 'task-assign-failed', text: `${taskId}: its attempt is lost: ${fact.reason}` }];
    case 'attempt-escalated':
    case 'attempt-cancelled':
    case 'task-accepted-for-merge':
    case 'wait-answered':
      return [];
    case 'review-requested':
      return [{ ...who, kind: 'task-reviewing', text: `${taskId} is being reviewed` }];
    case 'review-settled': {
      const text = `${taskId}: review ${fact.outcome}: ${fact.text}`;
      return [{ ...who, kind: 'review-verdict', text, findings: fact.findings }];
    }
    case 'task-rejected':
    case 'task-conflicted':
      return [{ ...who, kind: 'task-rejected', text: rejectedText(fact), findings: fact.findings }];
    case 'task-retry-scheduled':
      return [{ ...who, kind: 'task-retrying', text: `${taskId} is tried again: ${fact.reason}` }];
    case 'task-waiting':
      return [
        { taskId, kind: 'task-waiting', text: `${taskId} waits for an answer: ${oneLine(fact.wait.text)}` },
      ];
    case 'task-reopened':
      return [{ taskId, kind: 'task-retrying', text: `${taskId} begins anew: ${fact.reason}` }];
    case 'task-completed':
      return [{ ...who, kind: 'task-completed', text: `${taskId} completed` }];
    case 'task-failed':
      return [{ ...who, kind: 'task-failed', text: `${taskId} failed: ${failureLine(fact.failure)}` }];
    case 'task-skipped':
      return [{ taskId, kind: 'task-skipped', text: `${taskId} skipped: ${fact.reason}` }];
    case 'task-cancelled':
      return [{ taskId, kind: 'task-cancelled', text: `${taskId} cancelled: ${fact.reason}` }];
  }
}

function submittedText(taskId: TaskId, { evidence }: TaskFact & { kind: 'task-submitted' }): string {
  if (evidence.commit === undefined) return `${taskId} is done and changed nothing`;
  const count = evidence.filesChanged.length;
  return `${taskId} hands in ${count} changed file${count === 1 ? '' : 's'}`;
}

function rejectedText(fact: Extract<TaskFact, { kind: 'task-rejected' | 'task-conflicted' }>): string {
  const { taskId, again, round } = fact;
  const next = again ? `round ${round} follows` : 'its rounds are used up';
  const why =
    fact.kind === 'task-conflicted' ? 'conflicts with what was integrated meanwhile' : oneLine(fact.text);
  return `${taskId} rejected: ${why}; ${next}`;
}

function tellIntegration(fact: IntegrationFact): Told[] {
  switch (fact.kind) {
    case 'verification-decided':
      return fact.next === 'verify' ? [{ kind: 'verifying', text: verifyingText(fact) }] : [];
    case 'tasks-merged':
      if (fact.next === 'verify') return [{ kind: 'verifying', text: verifyingText(fact) }];
      if (fact.next !== 'defer') return [];
      return fact.merged.map(({ taskId }) => ({
        kind: 'task-integrated',
        taskId,
        text: `${taskId} is on the candidate`,
      }));
    case 'batch-verified': {
      const failed = fact.receipts.find((receipt) => receipt.exitCode !== 0);
      const why =
        failed === undefined ? '' : `: \`${oneLine(failed.command)}\` ended with ${failed.exitCode}`;
      return fact.passed
        ? [{ kind: 'verified', text: `${mergedText(fact.tasks)} passes` }]
        : [{ kind: 'verify-failed', text: `${mergedText(fact.tasks)} does not pass${why}` }];
    }
    case 'branch-moved':
      return fact.merged.map(({ taskId }) => ({
        kind: 'task-integrated',
        taskId,
        text: `${taskId} is on the run branch`,
      }));
    case 'integration-retried':
      return [{ kind: 'error', text: `integration is tried again: ${oneLine(fact.failure.message)}` }];
    case 'integration-decided':
    case 'batch-bisected':
    case 'integration-abandoned':
      return [];
  }
}

function verifyingText({ merged }: { readonly merged: readonly { readonly taskId: TaskId }[] }): string {
  return `verifying ${mergedText(merged.map(({ taskId }) => taskId))}`;
}

function mergedText(tasks: readonly TaskId[]): string {
  const names = tasks.slice(0, 3);
  const more = tasks.length > names.length ? ` and ${tasks.length - names.length} more` : '';
  return `the merged result of ${names.join(', ')}${more}`;
}

function tellRun(state: RunState, fact: Exclude<RunFact, TaskFact | IntegrationFact>): Told[] {
  switch (fact.kind) {
    case 'run-created':
      return [];
    case 'run-started': {
      const { chosen, reason } = state.strategy;
      return [{ kind: 'started', text: `${state.tasks.size} tasks, strategy ${chosen}: ${reason}` }];
    }
    case 'tasks-added':
      return [{ kind: 'tasks-added', text: `added ${fact.tasks.map(({ id }) => id).join(', ')}` }];
    case 'run-paused':
      return [{ kind: 'paused', text: `paused: ${fact.reason}` }];
    case 'run-resumed':
      return [{ kind: 'resumed', text: fact.reason === undefined ? 'resumed' : `resumed: ${fact.reason}` }];
    case 'run-stopping':
      return [{ kind: 'error', text: `stopping: ${oneLine(fact.reason)}` }];
    case 'run-ended':
      return [{ kind: fact.end, text: oneLine(fact.reason) }];
  }
}

function oneLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 500);
}
