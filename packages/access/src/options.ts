import type { Role } from '@switchyard/protocol';
import type { Environment } from './environment.ts';

/** Who wants to reach an orchestrator, and from where. */
export interface AccessContext {
  readonly environment: Environment;
  readonly cwd: string;
}

/** Options that every program at the edge knows. */
export interface AccessOptions {
  readonly repository?: string | undefined;
  readonly state?: string | undefined;
  readonly hub?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly fingerprint?: string | undefined;
}

/** As what a session says hello, and how its peer is called. */
export interface Introduction {
  readonly role: Extract<Role, 'client' | 'observer'>;
  /** The first part of the peer's name. */
  readonly name: string;
}
