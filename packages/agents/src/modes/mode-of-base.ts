import { AppError } from '@switchyard/protocol';
import { chooseByHand, modeInRole } from './choose-mode.ts';
import type { Mode, Role } from './mode.ts';
import { readRoomodes } from './read-roomodes.ts';

export interface ModeAsked {
  /** `.roomodes` of the commit that the work begins from; undefined: it has none. */
  readonly roomodes: string | undefined;
  readonly role: Role;
  /** As a plan names it. */
  readonly byHand?: string | undefined;
  /** As the program names it. */
  readonly slug?: string;
}

/**
 * The mode of an agent, by the file of the base, so that no change under way decides what its own agent may do. A file
 * that cannot be read decides nothing, and fails. Throws E_MODE, E_ROOMODES.
 */
export function modeOfBase({ roomodes, role, byHand, slug }: ModeAsked): Mode {
  const { modes, problems } =
    roomodes === undefined ? { modes: [], problems: [] } : readRoomodes(roomodes, '.roomodes');
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    const shown = errors.slice(0, 5).map(({ line, column, message }) => `${line}:${column} ${message}`);
    throw new AppError(
      'E_ROOMODES',
      `.roomodes of the base has ${errors.length} errors: ${shown.join('; ')}`,
    );
  }
  if (byHand !== undefined) chooseByHand(byHand, modes);
  const wanted = byHand ?? slug;
  return modeInRole({ custom: modes, role, ...(wanted !== undefined && { slug: wanted }) });
}
