import { errnoOf, GuardError } from './guard-error.ts';

const attemptsMax = 8;
const transient = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EEXIST', 'EAGAIN', 'EISDIR', 'ENOTEMPTY']);

/** The tree may change between two steps of a change: begins again a few times, then refuses. */
export function retry<Result>(asked: string, work: () => Result | 'changed'): Result {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    try {
      const result = work();
      if (result !== 'changed') return result;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || !transient.has(errno) || attempt === attemptsMax) throw error;
    }
  }
  throw new GuardError('E_IO', 'The path changes while it is written', { path: asked });
}
