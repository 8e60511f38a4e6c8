import { findRepository } from '@switchyard/access';
import type { RunView } from '@switchyard/protocol';
import type { PublishedName } from '@switchyard/repo';
import type { CommandContext, CommonOptions } from './context.ts';

/** By what name the user finds the result of a run that has ended; undefined: their repository is on another machine, or goes. */
export async function publishedPlace(
  { run, tip }: Pick<RunView, 'run' | 'tip'>,
  context: CommandContext,
  options: CommonOptions,
): Promise<PublishedName | undefined> {
  const { hub, thrownAway } = context.environment;
  if (thrownAway || (options.hub ?? hub) !== undefined) return undefined;
  const { publishedName } = await import('@switchyard/repo');
  const { user } = await findRepository(context, options);
  return publishedName(user.gitDir, run, tip);
}
