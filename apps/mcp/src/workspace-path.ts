import { isAbsolute, posix, relative, resolve, sep } from 'node:path';

/** A workspace as a plan names it, and where it lies on this machine. */
export interface WorkspacePath {
  readonly relative: string;
  /** Absent where the repository is on another machine. */
  readonly absolute?: string;
}

/**
 * Normalizes a workspace that an agent names, relative to the repository or absolute inside it. One that leaves the
 * repository keeps its `..`, and the checks of the plan refuse it.
 */
export function workspacePathOf(given: string, root: string | undefined): WorkspacePath {
  if (root === undefined) return { relative: tidy(posix.normalize(given)) };
  const absolute = isAbsolute(given) ? resolve(given) : resolve(root, given);
  return { relative: tidy(relative(root, absolute).split(sep).join('/')), absolute };
}

function tidy(path: string): string {
  const short = path.replace(/^\.\/+/, '').replace(/\/+$/, '');
  return short === '' ? '.' : short;
}
