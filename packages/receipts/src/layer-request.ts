import type { CommitId } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import type { Checkout } from './fresh-checkout.ts';
import type { Setup } from './layer-key.ts';
import type { ReceiptSandbox } from './receipt-sandbox.ts';

export interface LayersOptions {
  /** Shared by all daemons of a state folder. */
  readonly folder: string;
  readonly sandbox: ReceiptSandbox;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a set-up with network finds in its environment: registries and certificates. */
  readonly networkEnv?: Readonly<Record<string, string>>;
  /** What `registry` means in `setup.network`: hosts of the operator's own configuration. */
  readonly registries?: readonly string[];
}

export interface LayerRequest {
  readonly setup: Setup;
  readonly commit: CommitId;
  readonly checkout: Checkout;
  /** Untracked files that the set-up may need. */
  readonly include?: CommitId | undefined;
  readonly signal: AbortSignal;
  /** What the set-up prints, and whom it waits for. */
  readonly onOutput?: (chunk: string) => void;
}
