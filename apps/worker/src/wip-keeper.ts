import { compareSnapshots, takeSnapshot, type Snapshot as Tree } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone } from '@switchyard/repo';
import { handOver, snapshotOf, type WipContext } from './wip.ts';

export interface WipKeeperOptions extends WipContext {
  /** 0: only at the end of the attempt. */
  readonly intervalMs: number;
  /** Tells the orchestrator of work in progress that it has been handed. */
  readonly tell: (commit: CommitId) => void;
}

/** What became of an attempt's work in progress at its end. */
export type LastWip =
  | { readonly kind: 'none' }
  | { readonly kind: 'handed-over'; readonly commit: CommitId }
  /** The orchestrator was not to be reached; the commit is in the object cache. */
  | { readonly kind: 'left'; readonly commit: CommitId }
  /** The files could not be looked at. */
  | { readonly kind: 'unread' };

/** Keeps what an attempt has done so far: every so often while it works, where something changed, and at its end. */
export class WipKeeper {
  private readonly options: WipKeeperOptions;
  private clone: AttemptClone | undefined;
  private exclude: readonly string[] = [];
  private seen: Tree | undefined;
  private handedOver: CommitId | undefined;
  private cancel: (() => void) | undefined;
  private hasEnded = false;

  constructor(options: WipKeeperOptions) {
    this.options = options;
  }

  /** The attempt begins to work in its clone. */
  async begin(clone: AttemptClone, exclude: readonly string[]): Promise<void> {
    this.clone = clone;
    this.exclude = exclude;
    this.seen = await this.look(clone);
    this.wait();
  }

  /** No process of the attempt lives any more, or will. */
  stop(): void {
    this.hasEnded = true;
    this.cancel?.();
    this.cancel = undefined;
  }

  /** The last word, to be asked once the attempt has ended. What goes wrong is logged. */
  async last(): Promise<LastWip> {
    this.stop();
    const { clone } = this;
    if (clone === undefined) return { kind: 'none' };
    try {
      const commit = (await this.newest(clone)) ?? this.handedOver;
      if (commit === undefined) return { kind: 'none' };
      return await this.handLast(clone, commit);
    } catch (error) {
      this.options.logger.warn({ err: error }, 'the work of an attempt cannot be looked at');
      return { kind: 'unread' };
    }
  }

  private async handLast(clone: AttemptClone, commit: CommitId): Promise<LastWip> {
    try {
      if (commit !== this.handedOver) await this.hand(clone, commit);
      return { kind: 'handed-over', commit };
    } catch (error) {
      this.options.logger.warn({ err: error, commit }, 'work in progress could not be handed over');
      return { kind: 'left', commit };
    }
  }

  /** The work as it stands; nothing if there is nothing new. */
  private async newest(clone: AttemptClone): Promise<CommitId | undefined> {
    if (!(await this.hasChanged(clone))) return undefined;
    return (await snapshotOf(clone, this.exclude, this.options))?.commit;
  }

  private wait(): void {
    const { intervalMs, ports } = this.options;
    if (intervalMs === 0 || this.hasEnded) return;
    this.cancel = ports.clock.after(intervalMs, () => void this.keep());
  }

  private async keep(): Promise<void> {
    const { clone } = this;
    if (clone === undefined) return;
    try {
      const commit = await this.newest(clone);
      if (commit !== undefined && commit !== this.handedOver) {
        await this.hand(clone, commit);
        // The end has a newer word.
        if (!this.hasEnded) this.options.tell(commit);
      }
    } catch (error) {
      // It counts as not seen, so that the next turn tries again.
      this.seen = undefined;
      this.options.logger.warn({ err: error }, 'work in progress could not be kept this time');
    } finally {
      this.wait();
    }
  }

  private async hand(clone: AttemptClone, commit: CommitId): Promise<void> {
    await handOver((ref, id) => clone.push(ref, id), commit, this.options);
    this.handedOver = commit;
  }

  /** Looks at names, sizes and times; only where they differ are contents read. */
  private async hasChanged(clone: AttemptClone): Promise<boolean> {
    const before = this.seen;
    const now = await this.look(clone, before);
    this.seen = now;
    return before === undefined || compareSnapshots(before, now).length > 0;
  }

  private look(clone: AttemptClone, since?: Tree): Promise<Tree> {
    // Its `.git` is the attempt's to do with as it likes.
    return takeSnapshot(clone.tree, { exclude: ['.git'], ...(since === undefined ? {} : { since }) });
  }
}
