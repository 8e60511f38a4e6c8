import type { Clock, Logger } from '@switchyard/runtime';
import type { PrivateName } from './bubblewrap-arguments.ts';
import type { BubblewrapProgram } from './bubblewrap-program.ts';
import type { ControlGroups } from './control-group.ts';
import type { PrivateFiles } from './private-files.ts';

/** What every command of one sandbox shares. */
export interface BubblewrapParts {
  readonly program: BubblewrapProgram;
  readonly files: PrivateFiles<PrivateName>;
  readonly groups: ControlGroups | undefined;
  readonly system: readonly string[];
  readonly searchPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
}
