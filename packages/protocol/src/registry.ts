import type { z } from 'zod';
import * as c from './client-messages.ts';
import * as p from './peer-messages.ts';
import * as permits from './permit-messages.ts';
import type { Lane, Role } from './peer-messages.ts';
import * as w from './work-messages.ts';

/**
 * The closed table of messages (DESIGN.md section 7): name → payload → who may send → who receives → what
 * answers. Absence rejects. Every conversation has the orchestrator at one end: `up` goes to it, `down` comes
 * from it.
 */
export interface MessageSpec<Payload extends z.ZodType = z.ZodType> {
  readonly payload: Payload;
  readonly from: readonly Role[];
  readonly to: readonly Role[];
  readonly lane: Lane;
  /** The types that may answer it, besides `error`; none: it is told, not asked. */
  readonly answers: readonly string[];
  /** Kept in the sender's outbox on disk and replayed until acknowledged. */
  readonly durable: boolean;
}

interface Extra {
  readonly lane?: Lane;
  readonly answers?: readonly string[];
  readonly durable?: boolean;
}

const hub: readonly Role[] = ['orchestrator'];
const anyPeer: readonly Role[] = ['worker', 'reviewer', 'client', 'observer'];
/** They ask models: for an attempt, and for the review of one. */
const askers: readonly Role[] = ['worker', 'reviewer'];
/** They see what runs do. */
const lookers: readonly Role[] = ['client', 'observer'];

function spec<P extends z.ZodType>(
  payload: P,
  from: readonly Role[],
  to: readonly Role[],
  extra: Extra,
): MessageSpec<P> {
  return {
    payload,
    from,
    to,
    lane: extra.lane ?? 'control',
    answers: extra.answers ?? [],
    durable: extra.durable ?? false,
  };
}
const up = <P extends z.ZodType>(payload: P, from: readonly Role[], extra: Extra = {}) =>
  spec(payload, from, hub, extra);
const down = <P extends z.ZodType>(payload: P, to: readonly Role[], extra: Extra = {}) =>
  spec(payload, hub, to, extra);
const request = <P extends z.ZodType>(payload: P, answer: string) =>
  up(payload, ['client'], { answers: [answer] });
/** A request that changes nothing. */
const look = <P extends z.ZodType>(payload: P, answer: string) => up(payload, lookers, { answers: [answer] });
const shown = <P extends z.ZodType>(payload: P) => down(payload, lookers);
const answer = <P extends z.ZodType>(payload: P) => down(payload, ['client']);
const everyone: readonly Role[] = ['orchestrator', ...anyPeer];

export const registry = {
  hello: up(p.hello, anyPeer, { answers: ['welcome'] }),
  welcome: down(p.welcome, anyPeer),
  heartbeat: spec(p.heartbeat, everyone, everyone, {}),
  ack: spec(p.ack, everyone, everyone, {}),
  error: spec(p.errorPayload, everyone, everyone, {}),
  gap: spec(p.gap, everyone, everyone, { lane: 'bulk' }),
  draining: up(p.draining, ['worker', 'reviewer']),
  shutdown: down(p.shutdown, ['worker', 'reviewer']),
  'log-line': spec(p.logLine, everyone, ['orchestrator', ...lookers], { lane: 'bulk' }),

  'task-assignment': down(w.taskAssignment, ['worker'], { answers: ['task-accepted'] }),
  'task-accepted': up(w.taskAccepted, ['worker']),
  'task-progress': up(w.taskProgress, ['worker'], { lane: 'bulk' }),
  'task-completed': up(w.taskCompleted, ['worker'], { durable: true, answers: ['ack'] }),
  'task-failed': up(w.taskFailed, ['worker'], { durable: true, answers: ['ack'] }),
  'task-wip': up(w.taskWip, ['worker'], { durable: true, answers: ['ack'] }),
  'task-lost': up(w.taskLost, ['worker'], { durable: true, answers: ['ack'] }),
  'task-cancel': down(w.taskCancel, ['worker']),
  'task-fenced': down(w.taskFenced, ['worker']),
  escalation: up(w.escalation, ['worker'], { durable: true, answers: ['ack'] }),
  'task-question': up(w.taskQuestion, ['worker']),
  'task-answer': down(w.taskAnswer, ['worker']),
  'task-spawn': up(w.taskSpawn, ['worker'], { answers: ['task-spawned'] }),
  'task-spawned': down(w.taskSpawned, ['worker']),

  'permit-request': up(permits.permitRequest, askers),
  'permit-grant': down(permits.permitGrant, askers),
  'usage-report': up(permits.usageReport, askers),

  'review-assignment': down(w.reviewAssignment, ['reviewer']),
  'review-completing': up(w.reviewCompleting, ['reviewer'], { answers: ['review-acknowledged'] }),
  'review-acknowledged': down(w.reviewAcknowledged, ['reviewer']),
  'review-approved': up(w.reviewApproved, ['reviewer'], { durable: true, answers: ['ack'] }),
  'review-rejected': up(w.reviewRejected, ['reviewer'], { durable: true, answers: ['ack'] }),
  'review-failed': up(w.reviewFailed, ['reviewer'], { durable: true, answers: ['ack'] }),

  'run-submit': request(c.runSubmit, 'run-submitted'),
  'run-submitted': answer(c.runSubmitted),
  'run-list': look(c.runList, 'run-listed'),
  'run-listed': shown(c.runListed),
  'run-get': look(c.runGet, 'run-got'),
  'run-got': shown(c.runGot),
  'run-watch': look(c.runWatch, 'run-watched'),
  'run-watched': shown(c.runWatched),
  'run-event': shown(c.runEvent),
  'run-cancel': request(c.runCancel, 'done'),
  'run-pause': request(c.runPause, 'done'),
  'run-resume': request(c.runResume, 'done'),
  'budget-raise': request(c.budgetRaise, 'done'),
  'run-add-tasks': request(c.runAddTasks, 'done'),
  'run-rollback': request(c.runRollback, 'run-rolled-back'),
  'run-rolled-back': answer(c.runRolledBack),
  'gate-answer': request(c.gateAnswer, 'done'),
  'escalation-answer': request(c.escalationAnswer, 'done'),
  'kept-take-up': request(c.keptTakeUp, 'done'),
  'report-get': look(c.reportGet, 'report-got'),
  'report-got': shown(c.reportGot),
  'run-apply': request(c.runApply, 'run-applied'),
  'run-applied': answer(c.runApplied),
  'fleet-get': look(c.fleetGet, 'fleet-got'),
  'fleet-got': shown(c.fleetGot),
  'worker-terminate': request(c.workerTerminate, 'done'),
  'worker-revoke': request(c.workerRevoke, 'done'),
  'fleet-shutdown': request(c.fleetShutdown, 'done'),
  invite: request(c.invite, 'invited'),
  invited: answer(c.invited),
  'logs-get': look(c.logsGet, 'logs-got'),
  'logs-got': shown(c.logsGot),
  done: answer(c.done),
} as const satisfies Record<string, MessageSpec>;

export type MessageType = keyof typeof registry;
/** The payload of a message type, after validation. */
export type PayloadOf<T extends MessageType> = z.output<(typeof registry)[T]['payload']>;
/** The payload of a message type as a sender may write it (defaults left out). */
export type PayloadInput<T extends MessageType> = z.input<(typeof registry)[T]['payload']>;

/** Looks a type up without walking the prototype chain. */
export function specOf(type: string): MessageSpec | undefined {
  return Object.hasOwn(registry, type) ? registry[type as MessageType] : undefined;
}
/** Narrows a string to a message type of the table. */
export function isMessageType(type: string): type is MessageType {
  return Object.hasOwn(registry, type);
}
