import { findRepository } from '@switchyard/access';
import { openKeptWork } from '@switchyard/repo';
import { AppError, type CommitId } from '@switchyard/protocol';
import type { McpConfig } from './config.ts';

/** What a commit of an attempt changed, as a patch. Throws AppError E_USAGE, E_TOO_LARGE. */
export async function patchOfCommit(config: McpConfig, commit: CommitId): Promise<string> {
  if ((config.hub ?? config.environment.hub) !== undefined)
    throw new AppError(
      'E_USAGE',
      'the orchestrator is on another machine, and only there its commits can be shown',
    );
  const { folder, user } = await findRepository(config, config);
  const kept = openKeptWork(folder.gitDir, user);
  const range = await kept?.attempt(commit);
  if (kept === undefined || range === undefined)
    throw new AppError('E_USAGE', `the commit ${commit} is not kept any more`);
  return (await kept.patch(range)).toString('utf8');
}
