import { isAppError, type TaskAssignment } from '@switchyard/protocol';
import type { ObjectCache } from '@switchyard/repo';

/**
 * Reads `.roomodes` of the commit that an attempt begins from, never of the attempt's own files: what an agent may do is
 * not for its change to say. Undefined: there is none.
 */
export function roomodesOf(
  objects: () => Promise<Pick<ObjectCache, 'readFile'>>,
): (assignment: Pick<TaskAssignment, 'base'>) => Promise<string | undefined> {
  return async ({ base }) => {
    try {
      return new TextDecoder().decode(await (await objects()).readFile(base, '.roomodes'));
    } catch (error) {
      if (isAppError(error) && error.code === 'E_NOT_FOUND') return undefined;
      throw error;
    }
  };
}
