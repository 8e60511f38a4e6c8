import { AppError, type ErrorCode } from '@switchyard/protocol';

export interface GuardErrorFacts {
  /** The path as it was asked for. */
  readonly path: string;
  /** The roots that are allowed; only with `E_OUTSIDE_WORKSPACE`. */
  readonly roots?: readonly string[];
  readonly cause?: unknown;
}

/** A refusal of the path guard. It never says what lies outside the roots, nor whether anything does. */
export class GuardError extends AppError {
  override readonly name = 'GuardError';
  /** The path as it was asked for. */
  readonly path: string;

  constructor(code: ErrorCode, reason: string, facts: GuardErrorFacts) {
    const where = facts.roots === undefined ? '' : ` (allowed: ${facts.roots.join(', ')})`;
    super(code, `${reason}: ${JSON.stringify(shorten(facts.path))}${where}`, {
      details: { path: shorten(facts.path), ...(facts.roots === undefined ? {} : { roots: facts.roots }) },
      ...(facts.cause === undefined ? {} : { cause: facts.cause }),
    });
    this.path = facts.path;
  }
}

function shorten(path: string): string {
  return path.length > 300 ? `${path.slice(0, 300)}...` : path;
}

const byErrno: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['E_NOT_FOUND', 'Nothing is there'],
  ENOTDIR: ['E_NOT_FOUND', 'A file is used as a directory'],
  EACCES: ['E_ACCESS', 'The operating system says no'],
  EPERM: ['E_ACCESS', 'The operating system says no'],
  EROFS: ['E_ACCESS', 'The file system is read-only'],
  ELOOP: ['E_SYMLINK_LOOP', 'Too many links'],
  EISDIR: ['E_IS_DIRECTORY', 'A directory is there'],
  ENOTEMPTY: ['E_IS_DIRECTORY', 'A directory that is not empty is there'],
  EEXIST: ['E_IS_DIRECTORY', 'A directory that is not empty is there'],
  ENXIO: ['E_NOT_REGULAR', 'Not a regular file'],
  ENODEV: ['E_NOT_REGULAR', 'Not a regular file'],
  ENAMETOOLONG: ['E_PATH_INVALID', 'The path is too long'],
};

/** What the operating system answered, as a refusal; a refusal stays what it is. */
export function asGuardError(thrown: unknown, path: string): GuardError {
  if (thrown instanceof GuardError) return thrown;
  const errno = errnoOf(thrown);
  const [code, reason] =
    byErrno[errno ?? ''] ?? (['E_IO', `The operating system answered ${errno ?? 'with an error'}`] as const);
  return new GuardError(code, reason, { path, cause: thrown });
}

/** `ENOENT` and the like; undefined for anything that is no answer of the operating system. */
export function errnoOf(thrown: unknown): string | undefined {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
