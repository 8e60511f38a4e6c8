import type { Executor } from '@switchyard/agents';
import type { Sandbox } from '@switchyard/guard';
import type { AppError, Hello, PeerId } from '@switchyard/protocol';
import type { Layers } from '@switchyard/receipts';
import type { ObjectCache } from '@switchyard/repo';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Outbox } from '@switchyard/store';
import type { Link, LinkHandler } from '@switchyard/transport';

/** What carrying out one attempt needs of the outside world. */
export interface AttemptPorts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** This worker's objects, fetched from wherever the orchestrator is now. */
  readonly objects: () => Promise<ObjectCache>;
  readonly sandbox: Sandbox;
  readonly executors: readonly Executor[];
  readonly layers: Layers;
  /** Folder of the attempts; nobody else's, emptied at the start. */
  readonly attempts: string;
}

/** What the daemon's loop needs; `compose.ts` names the real ones, tests and the simulation others. */
export interface WorkerPorts extends AttemptPorts {
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly labels: readonly string[];
  /** Attempts at once. */
  readonly slots: number;
  readonly outbox: Outbox;
  /** Makes the link to the hub with this worker's dial and outbox. */
  readonly link: (options: {
    readonly hello: () => Omit<Hello, 'lane'>;
    readonly handler: LinkHandler;
    readonly freeSlots: () => number;
  }) => Link;
  /** How long running attempts may take to end once aborted. */
  readonly abortMs: number;
  /** Ends the worker when the hub was not reached for so long. */
  readonly giveUpMs?: number;
  /** Keeps the lasting token that an invitation was exchanged for. */
  readonly keepToken: (token: string) => void;
  /** The hub refuses this worker for good. */
  readonly fatal: (error: AppError) => void;
  /** The orchestrator asks this worker to end. */
  readonly stop: (reason: string) => void;
}
