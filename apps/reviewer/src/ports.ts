import type { Analysis, Engine } from '@switchyard/analyzers';
import type { Sandbox } from '@switchyard/guard';
import type { AppError, Hello, PeerId, ReviewAssignment, Specialization } from '@switchyard/protocol';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Outbox } from '@switchyard/store';
import type { Link, LinkHandler } from '@switchyard/transport';
import type { ModelReviewer, ReviewTalk } from './model-reviewer.ts';
import type { ReviewObjects } from './review-objects.ts';

/** What carrying out one review needs of the outside world. */
export interface ReviewPorts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  /** The commits, fetched from wherever the orchestrator is now. */
  readonly objects: () => Promise<ReviewObjects>;
  readonly engines: readonly Engine[];
  /** Reviews beside the engines; absent: no model does. */
  readonly modelReviewer?: Pick<ModelReviewer, 'engine' | 'talk'>;
  /** Folders that engines in the sandbox read beside the checkout. */
  readonly engineReadPaths: readonly string[];
  readonly sandbox: Sandbox;
  /** Folder of the checkouts; nobody else's, emptied at the start. */
  readonly checkouts: string;
}

/** Where commits are looked at: this machine, or the simulation's. */
export interface ReviewRoom {
  /** Takes away what an earlier life of this reviewer left. */
  clear(): Promise<void>;
  /** Looks at the commit. Throws AppError, and the signal's reason when it is aborted. */
  review(
    assignment: ReviewAssignment,
    about: { readonly signal: AbortSignal; readonly logger: Logger },
  ): Promise<Analysis>;
}

/** What the daemon's loop needs; `compose.ts` names the real ones, tests and the simulation others. */
export interface ReviewerPorts extends Pick<ReviewPorts, 'self' | 'clock'> {
  readonly room: ReviewRoom;
  /** What reviews use of models; absent: they use none. */
  readonly models?: ReviewTalk;
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
