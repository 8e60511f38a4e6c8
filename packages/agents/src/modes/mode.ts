import type { Grant, ToolRights } from '../tools/tool-groups.ts';

/** What an agent is: its words, and the tools it has. Custom modes are `customModes` of a `.roomodes` file. */
export interface Mode extends ToolRights {
  readonly slug: string;
  /** For people. */
  readonly name: string;
  /** Who the agent is, at the head of what its model is told. */
  readonly roleDefinition: string;
  readonly whenToUse?: string;
  readonly customInstructions?: string;
  readonly grants: readonly Grant[];
}

/** What an agent works as; decided by who starts it, never by a file or by the agent. */
export type Role = 'orchestrator' | 'worker' | 'reviewer';
