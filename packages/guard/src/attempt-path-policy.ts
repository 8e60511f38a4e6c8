import type { TaskAssignment } from '@switchyard/protocol';
import type { PathGuardPolicy } from './path-guard.ts';

export interface AttemptPaths extends Pick<TaskAssignment, 'reads'> {
  /** The checkout; relative paths start here. */
  readonly tree: string;
  /** Files and folders of it that may be written; none for reviewers. */
  readonly workspace: readonly string[];
  readonly denyRead?: readonly string[];
}

/**
 * The policy of an attempt's path guard, or of a reviewer's. With `reads: workspace`, or with paths, all else of the
 * checkout is outside: refused with E_OUTSIDE_WORKSPACE and the paths that are allowed, whether or not it is there.
 */
export function attemptPathPolicy({ tree, workspace, reads, denyRead = [] }: AttemptPaths): PathGuardPolicy {
  const readable = reads === 'all' ? undefined : [...workspace, ...(reads === 'workspace' ? [] : reads)];
  const root = {
    path: tree,
    write: workspace.length > 0,
    writes: workspace,
    ...(readable === undefined ? {} : { reads: readable }),
  };
  return { roots: [root], denyRead };
}
