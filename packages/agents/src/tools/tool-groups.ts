/** Groups of tools that a mode grants or does not; `modes.md` and the help list what is in each. */
export const toolGroups = ['read', 'edit', 'command', 'mcp', 'spawn'] as const;
export type ToolGroup = (typeof toolGroups)[number];

/** A group that a mode grants. */
export interface Grant {
  readonly group: ToolGroup;
  /** Of `edit` alone: only files whose path below the repository's root matches may be changed. */
  readonly fileRegex?: string;
  /** Which files these are, in words. */
  readonly description?: string;
}

/** What a mode lets its agent do; the part of a mode that tools ask for. */
export interface ToolRights {
  readonly slug: string;
  readonly grants: readonly Grant[];
}

export function grantOf(rights: ToolRights, group: ToolGroup): Grant | undefined {
  return rights.grants.find((grant) => grant.group === group);
}

/**
 * Whether commands may write the workspace: only where every file of it may be edited anyway, since nothing holds a
 * command to a pattern of names.
 */
export function mayCommandsWrite(rights: ToolRights): boolean {
  const edit = grantOf(rights, 'edit');
  return grantOf(rights, 'command') !== undefined && edit !== undefined && edit.fileRegex === undefined;
}
