import type { Clock, Logger } from '@switchyard/runtime';
import type { PrivateName } from './bubblewrap-arguments.ts';
import type { ToolSettings } from './clean-environment.ts';
import type { BubblewrapProgram } from './bubblewrap-program.ts';
import type { ControlGroups } from './control-group.ts';
import type { DeviceNodes } from './device-nodes.ts';
import type { GroupEntry } from './group-entry.ts';
import type { PrivateFiles } from './private-files.ts';
import type { LimitSetter } from './process-limits.ts';
import type { SystemPart, ToolPart } from './system-mounts.ts';
import type { UpstreamProxy } from '@switchyard/runtime';

/** What every command of one sandbox shares. */
export interface BubblewrapParts {
  readonly program: BubblewrapProgram;
  readonly files: PrivateFiles<PrivateName>;
  readonly groups: ControlGroups | undefined;
  readonly entry: GroupEntry;
  readonly limits: LimitSetter;
  readonly system: SystemPart;
  readonly toolPart: ToolPart;
  readonly nodes: DeviceNodes;
  readonly tools: ToolSettings;
  /** How hosts are reached: through the operator's own proxy, and by whose word names become addresses. */
  readonly upstream: UpstreamProxy | undefined;
  readonly resolve: ((host: string) => Promise<readonly string[]>) | undefined;
  /** Whether sandboxes are set up before their command is known (ready-sandboxes.ts). */
  readonly isAhead: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}
