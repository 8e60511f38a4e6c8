import type { Engine } from '@switchyard/analyzers';
import type { Sandbox } from '@switchyard/guard';
import type { AppError, Hello, PeerId, Specialization } from '@switchyard/protocol';
import type { ObjectCache } from '@switchyard/repo';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Outbox } from '@switchyard/store';
import type { Link, LinkHandler } from '@switchyard/transport';

/** What a review needs of the object cache. */
export type ReviewObjects = Pick<ObjectCache, 'fetch' | 'checkout' | 'changedLines'>;

/** What carrying out one review needs of the outside world. */
export interface ReviewPorts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  /** The commits, fetched from wherever the orchestrator is now. */
  readonly objects: () => Promise<ReviewObjects>;
  readonly engines: readonly Engine[];
  /** Folders that engines in the sandbox read beside the checkout. */
  readonly engineReadPaths: readonly string[];
  readonly sandbox: Sandbox;
  /** Folder of the checkouts; nobody else's, emptied at the start. */
  readonly checkouts: string;
}

/** What the daemon's loop needs; `compose.ts` names the real ones, tests and the simulation others. */
export interface ReviewerPorts extends ReviewPorts {
  readonly logger: Logger;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly specializations: readonly Specialization[];
  /** Reviews at once. */
  readonly slots: number;
  readonly outbox: Outbox;
  /** Makes the link to the hub with this reviewer's dial and outbox. */
  readonly link: (options: {
    readonly hello: () => Omit<Hello, 'lane'>;
    readonly handler: LinkHandler;
    readonly freeSlots: () => number;
  }) => Link;
  /** How long reviews that run may go on once the reviewer drains. */
  readonly finishMs: number;
  /** How long to wait for `review-acknowledged` before the verdict is sent anyway. */
  readonly acknowledgeMs: number;
  /** Ends after so long without its orchestrator; absent: never. */
  readonly giveUpMs?: number;
  /** Keeps the lasting token that an invitation was exchanged for. */
  readonly keepToken: (token: string) => void;
  /** The hub refuses this reviewer for good. */
  readonly fatal: (error: AppError) => void;
  /** The orchestrator asks this reviewer to end. */
  readonly stop: (reason: string) => void;
}
