import type { AppError, Envelope, RunEvent, RunEventKind } from '@switchyard/protocol';

/** Why a run did not end well, or cannot be followed any more. */
export type RunProblem =
  | { readonly kind: 'run'; readonly event: RunEvent; readonly text: string }
  | { readonly kind: 'link'; readonly error: AppError; readonly text: string };

/** The events of a run handle (names are API). */
export interface RunHandleEvents {
  readonly started: RunEvent;
  readonly 'task-assigned': RunEvent;
  readonly 'task-assign-failed': RunEvent;
  readonly 'task-completed': RunEvent;
  readonly 'task-failed': RunEvent;
  /** The run ended with everything done. */
  readonly completed: RunEvent;
  /** The run failed, was cancelled or met an error; or it cannot be followed any more. */
  readonly error: RunProblem;
  /** Every event, those above included. */
  readonly event: RunEvent;
}
export type RunHandleEvent = keyof RunHandleEvents;

/** Kinds of the run's history that have a handle event of the same name. */
const sameName = [
  'started',
  'task-assigned',
  'task-assign-failed',
  'task-completed',
  'task-failed',
  'completed',
] as const satisfies readonly (RunEventKind & RunHandleEvent)[];

/** The handle event of the same name as this kind, if it has one. */
export function namedEvent(kind: RunEventKind): (typeof sameName)[number] | undefined {
  return sameName.find((name) => name === kind);
}

/** Whether an event of this kind ends the run. */
export function endsRun(kind: RunEventKind): boolean {
  return kind === 'completed' || kind === 'failed' || kind === 'cancelled';
}

/** The run event in an envelope, if it is one of this run. */
export function runEventOf(envelope: Envelope, run: string): RunEvent | undefined {
  return envelope.type === 'run-event' && envelope.payload.run === run ? envelope.payload : undefined;
}
