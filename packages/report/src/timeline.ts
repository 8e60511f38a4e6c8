import type { RunEvent, RunReport } from '@switchyard/protocol';
import type { RunAccount, TaskAccount } from './account.ts';

export const segmentKinds = ['queued', 'work', 'review', 'person', 'merge'] as const;
export type SegmentKind = (typeof segmentKinds)[number];

/** A stretch of time in which one thing held. Milliseconds since the epoch. */
export interface Segment {
  readonly kind: SegmentKind;
  readonly from: number;
  readonly to: number;
  readonly attempt?: number | undefined;
  readonly worker?: string | undefined;
}

export interface TimelineRow {
  readonly task: TaskAccount;
  readonly index: number;
  readonly segments: readonly Segment[];
  /** Moments at which reviewers sent the task back. */
  readonly rejectedAt: readonly number[];
}

/** What each task did when, by the run's events; where those are missing, by its attempts. */
export function timelineOf(report: RunReport, account: RunAccount): TimelineRow[] {
  const events = new Map<string, RunEvent[]>();
  for (const event of report.events) {
    if (event.taskId === undefined) continue;
    const list = events.get(event.taskId) ?? [];
    list.push(event);
    events.set(event.taskId, list);
  }
  return account.tasks.flatMap((task, index) => {
    const mine = events.get(task.view.id) ?? [];
    const segments = mine.length > 0 ? bySteps(mine, account.endedAt) : byAttempts(task, account.endedAt);
    const rejectedAt = mine.filter((event) => event.kind === 'task-rejected').map((event) => event.at);
    return segments.length === 0 ? [] : [{ task, index, segments, rejectedAt }];
  });
}

/** What holds after an event; `undefined`: nothing more; `same`: what held before. */
function after(event: RunEvent): SegmentKind | 'same' | undefined {
  switch (event.kind) {
    case 'task-ready':
    case 'task-rejected':
    case 'task-sent-back':
    case 'task-retrying':
    case 'task-assign-failed':
      return 'queued';
    case 'task-assigned':
    case 'task-running':
      return 'work';
    case 'task-submitted':
    case 'task-reviewing':
      return 'review';
    case 'task-integrated':
      return 'merge';
    case 'task-waiting':
      return 'person';
    case 'task-completed':
    case 'task-failed':
    case 'task-skipped':
    case 'task-cancelled':
    case 'task-rolled-back':
      return undefined;
    default:
      return 'same';
  }
}

function bySteps(events: readonly RunEvent[], end: number): Segment[] {
  const segments: Segment[] = [];
  let open:
    | { kind: SegmentKind; from: number; attempt?: number | undefined; worker?: string | undefined }
    | undefined;
  let lastVerdict: number | undefined;
  const close = (to: number, next: SegmentKind | undefined): void => {
    if (open === undefined) return;
    // After the last verdict the change waits for its turn to be merged.
    const isMerging =
      open.kind === 'review' && lastVerdict !== undefined && (next === 'merge' || next === undefined);
    const cut = isMerging ? Math.max(open.from, lastVerdict ?? to) : to;
    segments.push({ ...open, to: cut });
    if (isMerging) segments.push({ ...open, kind: 'merge', from: cut, to });
  };
  for (const event of events) {
    if (event.kind === 'review-verdict') lastVerdict = event.at;
    const next = after(event);
    if (next === 'same' || (next !== undefined && next === open?.kind && next !== 'work')) continue;
    if (next === 'work' && open?.kind === 'work' && event.kind === 'task-running') continue;
    close(event.at, next);
    if (event.kind === 'task-submitted') lastVerdict = undefined;
    open =
      next === undefined
        ? undefined
        : {
            kind: next,
            from: event.at,
            attempt: event.attempt ?? open?.attempt,
            worker: next === 'work' ? event.worker : open?.worker,
          };
  }
  close(end, 'merge');
  return segments.filter((segment) => segment.to > segment.from);
}

function byAttempts(task: TaskAccount, end: number): Segment[] {
  return task.attempts.map((attempt) => ({
    kind: 'work',
    from: attempt.leasedAt,
    to: attempt.endedAt ?? end,
    attempt: attempt.attempt,
    worker: attempt.worker,
  }));
}
