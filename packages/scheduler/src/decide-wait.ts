import {
  AppError,
  gateRoundsDefault,
  unknownTask,
  type EscalationAction,
  type Failure,
  type GateValues,
  type TaskId,
} from '@switchyard/protocol';
import { requestRunReview } from './begin-task.ts';
import { answerAtWork, checkAsked } from './decide-question.ts';
import { askRollback } from './decide-rollback.ts';
import type { Decision } from './decision.ts';
import { failTask } from './fail-task.ts';
import { defaultsOf, gateValuesOf } from './gate-values.ts';
import { addProposed } from './follow-ups.ts';
import type { RunInput } from './input.ts';
import { beforeGate, sendBack } from './send-back.ts';
import type { Wait } from './state.ts';

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };

/** A person approves or rejects a gate. Throws E_TASK_UNKNOWN, E_RUN_STATE and E_GATE_INPUTS. */
export function decideGate(decision: Decision, input: InputOf<'gate-answered'>): void {
  const { taskId, approve, note } = input;
  const { inputs: asked = [] } = waitOf(decision, taskId, 'gate');
  checkAsked(decision, taskId, input.asked);
  if (approve) {
    passGate(decision, taskId, {
      by: 'person',
      note,
      inputs: gateValuesOf(taskId, asked, input.inputs ?? {}),
    });
    return;
  }
  decision.emit({ kind: 'wait-answered', taskId, by: 'person', action: 'reject', note });
  if (decision.task(taskId).proposal !== undefined) decision.emit({ kind: 'task-completed', taskId });
  else rejectGate(decision, taskId, note === '' ? 'a person rejected it' : note);
}

/** What the plan says about a gate that is rejected; send-backs have an end. */
function rejectGate(decision: Decision, taskId: TaskId, note: string): void {
  const { task, round } = decision.task(taskId);
  const { onReject = 'fail', rounds = gateRoundsDefault } = task.gate ?? {};
  const { work } = beforeGate(decision, taskId);
  if (onReject === 'send-back' && work.length > 0 && round < rounds) {
    sendBack(decision, taskId, note);
    return;
  }
  const isFree = decision.state.rollback === undefined;
  if (onReject === 'roll-back' && work.length > 0 && isFree)
    askRollback(decision, { taskIds: work, withDependants: true, reason: `${taskId} was rejected: ${note}` });
  const used =
    onReject === 'send-back' ? `${note} (sent back ${round - 1} times, which is all it may)` : note;
  failTask(decision, taskId, gateFailure(used), { answered: true });
}

interface Passed {
  readonly by: 'person' | 'deadline';
  readonly note: string;
  readonly inputs: GateValues;
}

function passGate(decision: Decision, taskId: TaskId, { by, note, inputs }: Passed): void {
  const { proposal } = decision.task(taskId);
  if (proposal !== undefined) addProposed(decision, proposal.tasks);
  const values = Object.keys(inputs).length === 0 ? {} : { inputs };
  decision.emit({ kind: 'wait-answered', taskId, by, action: 'approve', note, ...values });
  decision.emit({ kind: 'task-completed', taskId });
}

/** A person answers an escalation. Throws E_TASK_UNKNOWN and E_RUN_STATE. */
export function decideEscalation(decision: Decision, input: InputOf<'escalation-answered'>): void {
  const { taskId, action, note } = input;
  if (decision.state.tasks.has(taskId)) checkAsked(decision, taskId, input.asked);
  if (decision.state.tasks.has(taskId) && answerAtWork(decision, taskId, input)) return;
  const wait = waitOf(decision, taskId, 'escalation');
  if (action === 'accept' && wait.submitted === undefined)
    throw new AppError(
      'E_RUN_STATE',
      `task ${taskId} has handed in nothing that could be accepted; answer retry, skip or fail`,
    );
  decision.emit({ kind: 'wait-answered', taskId, by: 'person', action, note });
  answer(decision, taskId, { wait, action, note, by: 'person' });
}

/** Takes the default of every wait whose deadline has passed. */
export function decideDeadlines(decision: Decision): void {
  for (const taskId of [...decision.state.index.waiting]) {
    if (decision.state.phase.kind !== 'running') return;
    const { phase } = decision.task(taskId);
    if (phase.kind !== 'waiting' || phase.wait.deadline > decision.at) continue;
    const { wait } = phase;
    const note = 'nobody answered in time';
    if (wait.kind === 'gate' && wait.default === 'accept') {
      passGate(decision, taskId, { by: 'deadline', note: '', inputs: defaultsOf(wait.inputs ?? []) });
      continue;
    }
    decision.emit({ kind: 'wait-answered', taskId, by: 'deadline', action: wait.default, note });
    if (decision.task(taskId).proposal !== undefined) decision.emit({ kind: 'task-completed', taskId });
    else if (wait.kind === 'gate') failTask(decision, taskId, gateFailure(note), { answered: true });
    else answer(decision, taskId, { wait, action: wait.default, note, by: 'deadline' });
  }
}

interface Answer {
  readonly wait: Wait;
  readonly action: EscalationAction;
  readonly note: string;
  readonly by: 'person' | 'deadline';
}

function answer(decision: Decision, taskId: TaskId, given: Answer): void {
  const { wait, action, note, by } = given;
  switch (action) {
    case 'retry':
      retry(decision, taskId, given);
      return;
    case 'skip': {
      const reason = note === '' ? 'a person skipped it' : note;
      decision.emit({ kind: 'task-skipped', taskId, because: taskId, reason });
      return;
    }
    case 'fail': {
      const unanswered: Failure = {
        class: 'logic',
        code: by === 'deadline' ? 'E_TIMEOUT' : 'E_CANCELLED',
        message: `${by === 'deadline' ? 'nobody answered in time' : 'a person gave it up'}: ${wait.text}`,
      };
      const failure = wait.failure ?? { ...unanswered, message: unanswered.message.slice(0, 4000) };
      failTask(decision, taskId, failure, { answered: true });
      return;
    }
    case 'accept':
      if (wait.submitted === undefined) return;
      if (decision.task(taskId).task.kind === 'review') decision.emit({ kind: 'task-completed', taskId });
      else decision.emit({ kind: 'task-accepted-for-merge', taskId, accepted: wait.submitted });
      return;
  }
}

function retry(decision: Decision, taskId: TaskId, { wait, note }: Answer): void {
  const { task, round, history, continueFrom } = decision.task(taskId);
  if (task.kind === 'review') {
    requestRunReview(decision, taskId);
    return;
  }
  const last = history.at(-1)?.outcome;
  const rejected = last === 'rejected' || last === 'conflict';
  decision.emit({
    kind: 'task-retry-scheduled',
    taskId,
    notBefore: decision.at,
    reason: 'a person asked for another try',
    round: rejected ? round + 1 : round,
    answer: note === '' ? undefined : note,
    continueFrom: wait.submitted?.commit ?? continueFrom,
  });
}

function gateFailure(note: string): Failure {
  return { class: 'logic', code: 'E_GATE_REJECTED', message: `the gate was not passed: ${note}` };
}

function waitOf(decision: Decision, taskId: TaskId, kind: Wait['kind']): Wait {
  if (!decision.state.tasks.has(taskId))
    throw unknownTask(decision.state.run, taskId, decision.state.tasks.keys());
  const { phase } = decision.task(taskId);
  if (phase.kind === 'waiting' && phase.wait.kind === kind) return phase.wait;
  const now = phase.kind === 'waiting' ? `waits for an answer to its ${phase.wait.kind}` : `is ${phase.kind}`;
  throw new AppError('E_RUN_STATE', `task ${taskId} waits for no ${kind}: it ${now}`);
}
