import type { FoundRepository } from '@switchyard/access';
import { isAppError } from '@switchyard/protocol';
import type { CommandContext, CommonOptions } from './context.ts';
import { unservedRepository } from './offline.ts';
import { withSession } from './session.ts';

/** The two places where the state of runs is. */
export interface Sources<Result> {
  /** Of the orchestrator that runs. */
  readonly ask: Parameters<typeof withSession<Result>>[1];
  /** From what it left, where none runs. */
  readonly read: (repository: FoundRepository) => Promise<Result>;
}

/** Asks the orchestrator that runs, or reads the journal; one that ends while it is asked has left all of it there. */
export async function askOrRead<Result>(
  context: CommandContext,
  options: CommonOptions,
  { ask, read }: Sources<Result>,
): Promise<Result> {
  const unserved = await unservedRepository(context, options);
  if (unserved !== undefined) return read(unserved);
  try {
    return await withSession({ context, options, mode: { kind: 'never' } }, ask);
  } catch (error) {
    const left =
      isAppError(error) && error.code === 'E_UNREACHABLE'
        ? await unservedRepository(context, options)
        : undefined;
    if (left === undefined) throw error;
    return read(left);
  }
}
