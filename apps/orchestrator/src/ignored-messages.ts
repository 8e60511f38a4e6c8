import type { AttemptKey, IgnoredMessage, MessageId, MessageType, PeerId } from '@switchyard/protocol';
import type { OrchestratorPorts } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

/** Why a message of a peer changes nothing, or not what its sender wanted; the text is for its sender. */
const texts = {
  'unknown-run': 'this orchestrator has no such run',
  'unknown-task': 'the run has no such task',
  'unknown-attempt': 'the attempt was never given to anybody',
  'unknown-review': 'the review was never asked for',
  'not-its-own': "the attempt is, or was, another worker's",
  'not-held': 'the review is open, and this reviewer does not hold it, or not any more',
  fenced: 'the attempt was taken from this worker before; another one counts now, or none',
  over: 'it is over: its end was reported before',
  refused: 'what it says is refused',
} as const;
export type Ignorance = keyof typeof texts;

/** A message that is acknowledged although it changes nothing. */
export interface IgnoredReport {
  readonly type: MessageType;
  readonly id: MessageId;
  readonly from: PeerId;
  readonly attempt: AttemptKey;
}

/**
 * Counts and logs what peers say that changes nothing, so that neither a confused nor a hostile one goes unseen, and
 * words what its sender is told of it with the acknowledgement.
 */
export class IgnoredMessages {
  private readonly counter: ReturnType<OrchestratorPorts['metrics']['counter']>;
  private readonly ports: OrchestratorPorts;

  constructor(ports: OrchestratorPorts) {
    this.ports = ports;
    this.counter = ports.metrics.counter('switchyard_messages_ignored_total', ['type', 'reason']);
  }

  note({ type, id, from, attempt }: IgnoredReport, reason: Ignorance, more?: string): IgnoredMessage {
    const { run, taskId, attempt: number, fence } = attempt;
    this.counter.inc({ type, reason });
    const fields = { run, task: taskId, attempt: number, fence, worker: from, type, reason };
    // Progress travels beside the reports and is often overtaken by them.
    if (type === 'task-progress') this.ports.logger.debug(fields, 'a message changes nothing; ignored');
    else this.ports.logger.info({ ...fields, more }, 'a message changes nothing; ignored');
    const text = more === undefined ? texts[reason] : `${texts[reason]}: ${more}`;
    return { id, type, run, taskId, attempt: number, fence, reason, text: text.slice(0, 4000) };
  }
}

/** Why a report on an attempt that is not the sender's current one changes nothing. */
export function whyNotCurrent(
  keeper: RunKeeper | undefined,
  from: PeerId,
  { taskId, attempt: number, fence }: AttemptKey,
): Ignorance {
  if (keeper === undefined) return 'unknown-run';
  const task = keeper.state.tasks.get(taskId);
  if (task === undefined) return 'unknown-task';
  const record = task.history.find((attempt) => attempt.fence === fence && attempt.attempt === number);
  if (record === undefined) return 'unknown-attempt';
  if (record.worker !== from) return 'not-its-own';
  return record.outcome === 'lost' || record.outcome === 'cancelled' ? 'fenced' : 'over';
}
