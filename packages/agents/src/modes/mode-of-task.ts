import type { TaskAssignment } from '@switchyard/protocol';
import { builtInModes, roleOf } from './built-in.ts';
import { fullSlug } from './choose-mode.ts';
import { modeOfBase } from './mode-of-base.ts';
import type { Mode, Role } from './mode.ts';
import { readRoomodes } from './read-roomodes.ts';

/** `.roomodes` of the commit that an attempt begins from; undefined: it has none. */
export type ReadRoomodes = (assignment: TaskAssignment) => Promise<string | undefined>;

/** What its plan makes of the agent of a task: only what names the mode may orchestrate, and so spawn. */
export function isOrchestrating({ executor }: Pick<TaskAssignment, 'executor'>): boolean {
  return executor.kind !== 'command' && executor.mode === 'orchestrator';
}

/** The mode of our own loop; where it only verifies, it may be a reviewer's. Throws E_MODE, E_ROOMODES. */
export function modeOfLoop(assignment: TaskAssignment, roomodes: string | undefined): Mode {
  const { executor } = assignment;
  const byHand = executor.kind === 'llm' ? executor.mode : undefined;
  const isReviewing = assignment.kind !== 'implement' && roleOf(fullSlug(byHand ?? 'worker')) === 'reviewer';
  const role = isOrchestrating(assignment) ? 'orchestrator' : isReviewing ? 'reviewer' : 'worker';
  return modeOfBase({ roomodes, role, byHand });
}

/**
 * The mode of an agent's own program. What its plan calls `mode` is one of ours, or, over ACP, one of the agent's own
 * session modes, or both: as ours it says what the agent may do. Throws E_MODE, E_ROOMODES.
 */
export function modeOfProgram(assignment: TaskAssignment, roomodes: string | undefined): Mode {
  const { executor, kind } = assignment;
  const named = executor.kind === 'acp' || executor.kind === 'cli' ? executor.mode : undefined;
  const isOurs = named !== undefined && (executor.kind === 'cli' || isOurMode(named, roomodes));
  const role: Role = isOrchestrating(assignment)
    ? 'orchestrator'
    : kind === 'implement'
      ? 'worker'
      : 'reviewer';
  return modeOfBase({ roomodes, role, byHand: isOurs ? named : undefined });
}

/** Whether a slug is one of the file's, or a built-in one. */
export function isOurMode(slug: string, roomodes: string | undefined): boolean {
  const custom = roomodes === undefined ? [] : readRoomodes(roomodes, '.roomodes').modes;
  return [...custom, ...builtInModes].some((mode) => mode.slug === fullSlug(slug));
}
