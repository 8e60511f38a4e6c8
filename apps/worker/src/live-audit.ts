import type { AuditEvent } from '@switchyard/guard';
import type { AttemptViolation } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';

/** From a change to the look at it, and so between two looks. */
const pauseMs = 500;
/** A look may take this part of the time at most: a large tree is looked at less often. */
const timeShare = 1 / 20;
/** What is told of one attempt; its end has the rest. */
const toldMax = 20;

export interface LiveAuditOptions {
  /** All that is wrong with the tree now. */
  readonly look: () => Promise<readonly AuditEvent[]>;
  readonly found: (violations: readonly AttemptViolation[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Looks at a tree by the rules of its end while it is worked on, soon after something in it has moved, and tells what is
 * new. A feed for people: what comes and goes between two looks is not seen.
 */
export class LiveAudit {
  private readonly options: LiveAuditOptions;
  private readonly told = new Set<string>();
  private waiting: (() => void) | undefined;
  private looking: Promise<void> | undefined;
  private isTouched = false;
  private isClosed = false;
  private nextMs = pauseMs;

  constructor(options: LiveAuditOptions) {
    this.options = options;
  }

  /** Something has moved. */
  touched(): void {
    this.isTouched = true;
    if (this.isClosed || this.waiting !== undefined || this.looking !== undefined) return;
    this.waiting = this.options.clock.after(this.nextMs, () => {
      this.waiting = undefined;
      this.looking = this.look().finally(() => {
        this.looking = undefined;
        if (this.isTouched) this.touched();
      });
    });
  }

  /** Ends it, and waits for a look that is under way. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting?.();
    await this.looking;
  }

  private async look(): Promise<void> {
    const { clock, logger } = this.options;
    const startedAt = clock.monotonic();
    this.isTouched = false;
    try {
      const all = await this.options.look();
      if (!this.isClosed) this.tell(all);
    } catch (error) {
      logger.warn({ err: error }, 'a look at a working attempt failed; its end is still audited');
    }
    this.nextMs = Math.max(pauseMs, (clock.monotonic() - startedAt) / timeShare);
  }

  private tell(all: readonly AuditEvent[]): void {
    const isNew = ({ kind, path }: AuditEvent): boolean => !this.told.has(`${kind} ${path}`);
    const fresh = all.filter(isNew).slice(0, Math.max(0, toldMax - this.told.size));
    if (fresh.length === 0) return;
    for (const { kind, path } of fresh) this.told.add(`${kind} ${path}`);
    this.options.logger.warn({ violations: fresh }, 'an attempt touches what is not its to change');
    this.options.found(fresh.map(({ kind, path }) => ({ kind, path: path.slice(0, 1000) })));
  }
}
