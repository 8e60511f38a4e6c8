import type { AttemptViolation, TaskAssignment } from '@switchyard/protocol';
import type { Layer } from '@switchyard/receipts';
import type { Logger } from '@switchyard/runtime';
import type { PlanDesk } from './plan-desk.ts';
import type { AttemptContext, AttemptPorts } from './ports.ts';

/** What the work of one attempt goes by. */
export interface WorkOptions {
  readonly assignment: TaskAssignment;
  readonly ports: AttemptPorts;
  /** The attempt's own folder. */
  readonly folder: string;
  readonly tree: string;
  readonly layer: Layer | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly say: (message: string) => void;
  /** Where its agent hands in the plan that it is to draft; undefined: it drafts none. */
  readonly desk: PlanDesk | undefined;
  /** Told of what is not the attempt's to change, as it is seen. */
  readonly ask: AttemptContext['ask'];
  readonly spawnTask: AttemptContext['spawnTask'];
  readonly pausedMs: AttemptContext['pausedMs'];
  readonly found: (violations: readonly AttemptViolation[]) => void;
}
