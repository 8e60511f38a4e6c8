import type { Channel } from '@switchyard/transport';
import type { GitDisk } from './git-disk.ts';
import type { Invariants } from './invariants.ts';
import type { JournalDisk } from './journal-disk.ts';
import type { Ends, Network } from './network.ts';
import type { Plant } from './plants.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** What a simulated process finds around itself. */
export interface Surroundings {
  readonly scenario: Scenario;
  readonly world: World;
  readonly network: Network;
  readonly journal: JournalDisk;
  readonly git: GitDisk;
  readonly invariants: Invariants;
  readonly plant: Plant | undefined;
  violate(text: string): void;
  /** The orchestrator listens. */
  isUp(): boolean;
  /** A peer's way to the hub of this moment. Rejects with AppError E_UNREACHABLE. */
  dial(ends: Omit<Ends, 'hubLife'>): Promise<Channel>;
}
