import {
  failureLine,
  microUsdOf,
  isPassed,
  usdText,
  type Finding,
  type PeerId,
  type PinnedCommit,
  type ResumePoint,
  type RunEvent,
  type RunEventKind,
  type TaskId,
} from '@switchyard/protocol';
import { isIntegrationFact, isTaskFact } from './fact-kinds.ts';
import type { IntegrationFact, RunFact, TaskFact } from './fact.ts';
import type { AttemptRecord, RunState, Wait } from './state.ts';
import { lackText } from './reason.ts';
import { sharedProgressOf } from './view.ts';

/** An event before it is numbered. */
interface Told {
  readonly kind: RunEventKind;
  readonly text: string;
  readonly taskId?: TaskId;
  readonly worker?: PeerId | undefined;
  readonly attempt?: number | undefined;
  readonly findings?: readonly Finding[];
}

/**
 * What a fact tells a watcher; mostly one event, none for what only the machine needs. `state`: after the fact.
 * Events of one fact are numbered from `seq` on.
 */
export function eventsOf(state: RunState, fact: RunFact, seq: number): readonly RunEvent[] {
  const told = isTaskFact(fact)
    ? tellTask(state, fact)
    : isIntegrationFact(fact)
      ? tellIntegration(fact)
      : tellRun(state, fact);
  const { at } = fact;
  const [only] = told;
  if (only === undefined) return nothing;
  if (told.length === 1) return [eventOf(only, state, { at, seq })];
  return told.map((each, place) => eventOf(each, state, { at, seq: seq + place }));
}

const nothing: readonly RunEvent[] = [];

/** One object an event: a start with a long journal makes hundreds of thousands. */
function eventOf(
  { kind, text, taskId, worker, attempt, findings }: Told,
  state: RunState,
  { at, seq }: { at: number; seq: number },
): RunEvent {
  const event: RunEvent = { kind, text, run: state.run, seq, at, progress: sharedProgressOf(state) };
  if (taskId !== undefined) event.taskId = taskId;
  if (worker !== undefined) event.worker = worker;
  if (attempt !== undefined) event.attempt = attempt;
  if (findings !== undefined) event.findings = [...findings];
  return event;
}

type AttemptFact = Extract<
  TaskFact,
  { kind: `attempt-${string}` | 'task-leased' | 'task-submitted' | 'review-used' }
>;

function tellTask(state: RunState, fact: TaskFact): Told[] {
  const { taskId } = fact;
  const record = state.tasks.get(taskId)?.history.at(-1);
  const who = { taskId, worker: record?.worker, attempt: record?.attempt };
  switch (fact.kind) {
    case 'task-ready':
      return [{ kind: 'task-ready', taskId, text: `${taskId} is ready` }];
    case 'task-unmatched': {
      const waits = `${taskId} ${lackText(fact.lack)}`;
      return [{ taskId, kind: 'task-assign-failed', text: `${waits}; it fails if none comes in time` }];
    }
    case 'task-matched':
      return [{ taskId, kind: 'task-ready', text: `${taskId} is ready: a worker that can take it has come` }];
    case 'resume-chosen': {
      const from = resumedText(fact.from).slice(2);
      return [
        { taskId, kind: keptEvents[fact.from.kind], text: `${taskId}: its next attempt goes on ${from}` },
      ];
    }
    case 'task-accepted-for-merge':
      return [];
    case 'wait-answered':
      return [answerOf(fact)];
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
      return [{ taskId, kind: 'task-waiting', text: waitingText(taskId, fact.wait) }];
    case 'task-reopened':
      return [{ taskId, kind: 'task-retrying', text: `${taskId} begins anew: ${fact.reason}` }];
    case 'follow-ups-settled':
      return [{ taskId, kind: 'follow-ups', text: `${taskId}: its follow-ups are ${oneLine(fact.text)}` }];
    case 'task-sent-back': {
      const findings = fact.findings.length === 0 ? {} : { findings: fact.findings };
      return [{ taskId, kind: 'task-sent-back', text: `${taskId} ${sentBackText(fact)}`, ...findings }];
    }
    case 'task-rolled-back': {
      const text = `${taskId} is off the run branch by ${fact.commit.slice(0, 12)}: ${oneLine(fact.reason)}`;
      return [{ taskId, kind: 'task-rolled-back', text }];
    }
    case 'task-completed':
      return [{ ...who, kind: 'task-completed', text: `${taskId} completed` }];
    case 'task-failed':
      return [{ ...who, kind: 'task-failed', text: `${taskId} failed: ${failureLine(fact.failure)}` }];
    case 'task-skipped':
      return [{ taskId, kind: 'task-skipped', text: `${taskId} skipped: ${fact.reason}` }];
    case 'task-cancelled':
      return [{ taskId, kind: 'task-cancelled', text: `${taskId} cancelled: ${fact.reason}` }];
    default:
      return tellAttempt(fact, who, record);
  }
}

/** What happened to an attempt; `record`: the last one of its task. */
function tellAttempt(
  fact: AttemptFact,
  who: Pick<Told, 'taskId' | 'worker' | 'attempt'>,
  record: AttemptRecord | undefined,
): Told[] {
  const { taskId } = fact;
  switch (fact.kind) {
    case 'task-leased': {
      const { worker, attempt } = fact.lease;
      const again = attempt === 1 ? '' : ` (attempt ${attempt})`;
      const from = resumedText(fact.lease.resumeFrom);
      return [{ ...who, kind: 'task-assigned', text: `${taskId} goes to ${worker}${again}${from}` }];
    }
    case 'attempt-accepted':
      return [{ ...who, kind: 'task-running', text: `${taskId} is accepted by its worker` }];
    case 'attempt-progressed':
      return fact.phase === 'running' ? [{ ...who, kind: 'task-running', text: `${taskId} is at work` }] : [];
    case 'attempt-violated': {
      const { worker, attempt, violations } = fact;
      const what = violations.map(({ kind, path }) => `${oneLine(path)} (${kind})`).join(', ');
      const text = `${taskId} touches what is not its to change: ${what}`;
      return [{ kind: 'task-violation', taskId, worker, attempt, text }];
    }
    case 'task-submitted':
      return [{ ...who, kind: 'task-submitted', text: submittedText(taskId, fact) }];
    case 'attempt-failed':
      return []; // what follows tells it: a retry, a wait, or the end of the task
    case 'attempt-lost': {
      const kept = record?.wip === undefined ? '' : `; its work in progress is ${keptText(record.wip)}`;
      const text = `${taskId}: its attempt is lost: ${fact.reason}${kept}`;
      return [{ ...who, kind: 'task-assign-failed', text }];
    }
    case 'attempt-wip': {
      const { worker, attempt, wip } = fact;
      // While it works, its next word matters more.
      if (record?.attempt === attempt && record.outcome === 'running') return [];
      const text = `${taskId}: the work in progress of attempt ${attempt} is ${keptText(wip)}`;
      return [{ kind: 'task-wip', taskId, worker, attempt, text }];
    }
    case 'attempt-used':
    case 'review-used':
      return []; // `switchyard usage` tells it
    case 'attempt-salvaged': {
      const { worker, attempt, salvage } = fact;
      const text = `${taskId}: a late result of attempt ${attempt} changes nothing; ${keptText(salvage)}`;
      return [{ kind: 'task-salvaged', taskId, worker, attempt, text }];
    }
    case 'attempt-contact': {
      const text = fact.isHeard
        ? 'is heard again'
        : `is unverifiable: ${fact.reason}; it keeps its attempt for now`;
      const kind = fact.isHeard ? 'worker-alive' : 'worker-unverifiable';
      return [{ ...who, kind, text: `${taskId}: ${fact.worker} ${text}` }];
    }
    case 'attempt-asked': {
      const { worker, attempt, text } = fact;
      const asks = `${taskId} asks, and waits at work for the answer: ${oneLine(text)}`;
      return [{ kind: 'task-asks', taskId, worker, attempt, text: asks }];
    }
    case 'attempt-answered': {
      const { worker, attempt, by, answer } = fact;
      const told =
        by === 'policy' ? 'is told by its plan to decide by itself' : `is told: ${oneLine(answer)}`;
      return [{ kind: 'task-answered', taskId, worker, attempt, text: `${taskId} ${told}` }];
    }
    case 'attempt-escalated':
    case 'attempt-cancelled':
      return [];
  }
}

function waitingText(taskId: TaskId, { kind, text, caseFile, inputs = [], default: then }: Wait): string {
  const what =
    kind === 'gate' && then === 'accept' ? 'goes on by itself unless rejected' : 'waits for an answer';
  const more = caseFile === undefined ? '' : `; its case file: ${caseFile}`;
  const values = inputs.map(({ name, default: value }) =>
    value === undefined ? name : `${name} (else ${value})`,
  );
  const asked = values.length === 0 ? '' : `; it asks for ${oneLine(values.join(', '))}`;
  return `${taskId} ${what}: ${oneLine(text)}${asked}${more}`;
}

type Answered = TaskFact & { readonly kind: 'wait-answered' };

function answerOf(fact: Answered): Told {
  const { taskId } = fact;
  if (fact.action === 'approve') return { taskId, kind: 'gate-passed', text: passedText(fact) };
  return { taskId, kind: 'task-answered', text: answeredText(fact) };
}

function answeredText({ taskId, by, action, note }: Answered): string {
  if (by === 'deadline') return `${taskId}: nobody answered in time, so the answer is ${action}`;
  const what = action === 'reject' ? 'a person rejected it' : `a person answered ${action}`;
  return [`${taskId}: ${what}`, ...(note === '' ? [] : [oneLine(note)])].join('; ');
}

function passedText({ taskId, by, note, inputs = {} }: Answered): string {
  const values = Object.entries(inputs).map(([name, value]) => `${name}=${oneLine(value)}`);
  const who = by === 'person' ? 'a person approved it' : 'nobody rejected it in time';
  return [`${taskId}: ${who}`, ...(note === '' ? [] : [oneLine(note)]), ...values].join('; ');
}

/** What an event on kept work is called. */
const keptEvents = { wip: 'task-wip', salvage: 'task-salvaged' } as const;

function keptText({ commit, ref }: PinnedCommit): string {
  return `kept as ${commit.slice(0, 12)} (${ref})`;
}

/** What an attempt goes on from, as the end of a sentence. */
function resumedText(from: ResumePoint | undefined): string {
  if (from === undefined) return '';
  const what = from.kind === 'wip' ? 'work in progress' : 'late result';
  return `, from the ${what} of attempt ${from.attempt}`;
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

function sentBackText({ because, taskId, reason }: TaskFact & { kind: 'task-sent-back' }): string {
  return taskId === because
    ? 'asks again when what it sent back is there'
    : `begins again: ${oneLine(reason)}`;
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
      const failed = fact.receipts.find((receipt) => !isPassed(receipt));
      const why =
        failed === undefined ? '' : `: \`${oneLine(failed.command)}\` ended with ${failed.exitCode}`;
      const what =
        fact.isRollback === true ? `the run branch without ${namesText(fact.tasks)}` : mergedText(fact.tasks);
      return fact.passed
        ? [{ kind: 'verified', text: `${what} passes` }]
        : [{ kind: 'verify-failed', text: `${what} does not pass${why}` }];
    }
    case 'branch-moved':
      return fact.merged.map(({ taskId }) => ({
        kind: 'task-integrated',
        taskId,
        text: `${taskId} is on the run branch`,
      }));
    case 'integration-retried':
      return [{ kind: 'error', text: `integration is tried again: ${oneLine(fact.failure.message)}` }];
    case 'rollback-decided': {
      const tasks = [...new Set(fact.reverts.map(({ taskId }) => taskId))];
      return [{ kind: 'rolling-back', text: `rolling back ${namesText(tasks)}: ${oneLine(fact.reason)}` }];
    }
    case 'merges-reverted':
      return fact.next === 'verify'
        ? [{ kind: 'verifying', text: 'verifying the run branch without it' }]
        : [];
    case 'rollback-refused': {
      const findings = fact.findings.length === 0 ? {} : { findings: fact.findings };
      return [
        { kind: 'rollback-refused', text: `not rolled back: ${fact.reason.slice(0, 1000)}`, ...findings },
      ];
    }
    case 'rollback-asked':
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
  return `the merged result of ${namesText(tasks)}`;
}

function namesText(tasks: readonly TaskId[]): string {
  const names = tasks.slice(0, 3);
  const more = tasks.length > names.length ? ` and ${tasks.length - names.length} more` : '';
  return `${names.join(', ')}${more}`;
}

function tellRun(state: RunState, fact: Exclude<RunFact, TaskFact | IntegrationFact>): Told[] {
  switch (fact.kind) {
    case 'run-created':
      return [];
    case 'run-started': {
      const { chosen, reason } = state.strategy;
      const tasks = `${state.tasks.size} ${state.tasks.size === 1 ? 'task' : 'tasks'}`;
      return [{ kind: 'started', text: `${tasks}, strategy ${chosen}: ${reason}` }];
    }
    case 'tasks-added':
      return [{ kind: 'tasks-added', text: `added ${fact.tasks.map(({ id }) => id).join(', ')}` }];
    case 'run-paused':
      return [{ kind: 'paused', text: `paused: ${fact.reason}` }];
    case 'budget-raised':
      return [
        {
          kind: 'budget-raised',
          text: `the budget of ${fact.of === 'run' ? 'the run' : 'each task'} is ${usdText(microUsdOf(fact.usd))} now`,
        },
      ];
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
