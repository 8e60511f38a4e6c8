import {
  decodeFrame,
  openEnvelope,
  type CommitId,
  type PeerId,
  type RunEvent,
  type RunId,
} from '@switchyard/protocol';
import type { OfferedBy } from '@switchyard/testkit';
import type { GitDisk } from './git-disk.ts';
import type { JournalDisk } from './journal-disk.ts';
import type { OutboxDisk } from './outbox-disk.ts';
import { RunWatch } from './run-watch.ts';
import { Violation } from './violation.ts';

export interface InvariantOptions {
  readonly journal: JournalDisk;
  readonly git: GitDisk;
  /** What each worker offers. */
  readonly offeredBy: OfferedBy;
  /** How often a person asked for `apply`. */
  readonly applies: () => number;
}

/** What must hold after every step, numbered as in DESIGN.md: looks at what is durable, never at what production code believes. */
export class Invariants {
  readonly runs = new Map<string, RunWatch>();
  private readonly options: InvariantOptions;
  private readonly tips = new Map<RunId, CommitId>();
  private readonly salvaged = new Map<string, CommitId>();
  private seen = 0;

  constructor(options: InvariantOptions) {
    this.options = options;
  }

  check(outboxes: Iterable<OutboxDisk>): void {
    this.checkFacts();
    for (const outbox of outboxes) {
      for (const frame of outbox.acknowledged.splice(0)) this.acknowledged(frame);
    }
    const { git, applies } = this.options;
    for (const [run, tip] of git.branches) this.branch(run, tip);
    this.checkSalvage();
    if (git.applied.length > applies())
      throw new Violation('6: the user’s checkout was touched, and nobody asked');
  }

  /** What is wrong with an event that a watcher was shown. */
  shown(run: RunId, event: RunEvent): string | undefined {
    const known = this.runs.get(run)?.events[event.seq - 1];
    if (known?.kind === event.kind && known.text === event.text) return undefined;
    return `1: ${run}: ${event.kind} was shown, and the journal does not have it`;
  }

  private checkFacts(): void {
    const { durable } = this.options.journal;
    if (this.seen === durable.length) return;
    const touched = new Set<RunWatch>();
    for (; this.seen < durable.length; this.seen += 1) {
      const stored = durable[this.seen];
      if (stored === undefined) continue;
      const { git, offeredBy } = this.options;
      const watch = this.runs.get(stored.stream) ?? new RunWatch(stored.stream, git, offeredBy);
      this.runs.set(stored.stream, watch);
      watch.fold(stored);
      touched.add(watch);
    }
    for (const watch of touched) watch.checkWhole();
    this.checkSlots();
  }

  /** No worker holds more than it offers, over all runs. */
  private checkSlots(): void {
    const held = new Map<PeerId, number>();
    for (const { checker } of this.runs.values())
      for (const { phase } of checker.active())
        if ('lease' in phase) held.set(phase.lease.worker, (held.get(phase.lease.worker) ?? 0) + 1);
    for (const [worker, count] of held)
      if (count > (this.options.offeredBy(worker)?.slots ?? 0))
        throw new Violation(`10: ${worker} holds ${count} attempts, over its slots`);
  }

  /** What a worker was told to be kept is kept. */
  private acknowledged(frame: Uint8Array): void {
    for (const envelope of decodeFrame(frame).map(openEnvelope)) {
      switch (envelope.type) {
        case 'task-completed':
        case 'task-failed':
        case 'task-lost':
        case 'escalation': {
          const { run, taskId, fence } = envelope.payload;
          const watch = this.runs.get(run);
          if (watch === undefined)
            throw new Violation(`1: ${run} was acknowledged, and the journal does not have it`);
          watch.acknowledged(taskId, fence);
          if (envelope.type === 'task-completed') watch.acknowledgedResult(envelope.from, envelope.payload);
          continue;
        }
        default:
      }
    }
  }

  private branch(run: RunId, tip: CommitId): void {
    if (this.tips.get(run) === tip) return;
    const { git } = this.options;
    const line = git.ancestry(tip);
    const before = this.tips.get(run);
    if (before !== undefined && !line.includes(before))
      throw new Violation(`4: the branch of ${run} lost ${before}`);
    const attempts = git.attemptsIn(tip);
    if (new Set(attempts).size < attempts.length)
      throw new Violation(`4: an attempt is on the branch of ${run} twice`);
    this.rolledBack(run, tip);
    const verifies = (this.runs.get(run)?.state.plan.verify.run.length ?? 0) > 0;
    if (verifies && !git.passes(tip)) throw new Violation(`5: the branch of ${run} is at what does not pass`);
    this.tips.set(run, tip);
  }

  /** What was integrated leaves the branch only by a rollback that the journal has, and once. */
  private rolledBack(run: RunId, tip: CommitId): void {
    const gone = this.options.git.revertsIn(tip);
    if (new Set(gone).size < gone.length)
      throw new Violation(`4: a merge was taken off the branch of ${run} twice`);
    const decided = this.runs.get(run)?.rolledBack;
    const lost = gone.find((merge) => decided?.has(merge) !== true);
    if (lost !== undefined)
      throw new Violation(`1: ${lost} was taken off the branch of ${run}, and the journal does not say so`);
  }

  /** What is kept stays as it is. */
  private checkSalvage(): void {
    const { salvaged } = this.options.git;
    if (salvaged.size === this.salvaged.size && salvaged.size === 0) return;
    for (const [ref, commit] of this.salvaged)
      if (salvaged.get(ref) !== commit) throw new Violation(`13: ${ref} is not what it was`);
    for (const [ref, commit] of salvaged) this.salvaged.set(ref, commit);
  }
}
