import { isAppError } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { BaseTree } from './engine.ts';

/**
 * The tree before a change, by whatever reads its files; that answers AppError E_NOT_FOUND, E_IS_DIRECTORY or
 * E_TOO_LARGE where there is no file to look at.
 */
export function baseTreeOf(readFile: (path: string) => Promise<Uint8Array>): BaseTree {
  const bytes = async (path: string): Promise<Uint8Array | undefined> => {
    try {
      return await readFile(path);
    } catch (error) {
      if (isAppError(error) && ['E_NOT_FOUND', 'E_IS_DIRECTORY', 'E_TOO_LARGE'].includes(error.code))
        return undefined;
      throw error;
    }
  };
  return {
    bytes,
    async read(path) {
      const found = await bytes(path);
      const isText =
        found !== undefined &&
        found.length <= analyzerLimits.fileBytes &&
        !found.subarray(0, 8192).includes(0);
      return isText ? new TextDecoder().decode(found) : undefined;
    },
  };
}
