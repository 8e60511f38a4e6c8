import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';
import type { UserRepository } from '@switchyard/repo';
import {
  isAlive,
  layOutStateFolder,
  repositoryStateRoot,
  requireOwner,
  requireProject,
  stateRoot,
  type StateFolder,
} from '@switchyard/runtime';
import { z } from 'zod';
import type { AccessContext, AccessOptions } from './options.ts';

/** A repository of the user's and where its state lies. */
export interface RepositoryState {
  readonly workTree: string;
  readonly folder: StateFolder;
}

/** The same, with what git says of it. */
export interface FoundRepository extends RepositoryState {
  readonly user: UserRepository;
}

/**
 * Finds the repository that a command means, and where its state lies or would lie; nothing is made. Throws AppError
 * E_NO_GIT, E_NOT_A_REPOSITORY and the like, E_STATE_FOREIGN.
 */
export async function findRepository(
  context: AccessContext,
  options: AccessOptions,
): Promise<FoundRepository> {
  // Loaded when it is needed, so that commands that need no repository start at once.
  const { discoverRepository } = await import('@switchyard/repo');
  const user = await discoverRepository(resolve(context.cwd, options.repository ?? '.'));
  const folder = layOutStateFolder(
    stateRootAsked(context, options) ??
      repositoryStateRoot(stateRoot(context.environment.all), user.gitCommonDir),
  );
  requireOwner(folder.root);
  requireProject(folder, user.gitCommonDir);
  return { user, workTree: user.workTree, folder };
}

/** The state folder that the command line names. */
export function stateRootAsked(context: AccessContext, { state }: AccessOptions): string | undefined {
  return state === undefined ? undefined : resolve(context.cwd, state);
}

const orchestratorFile = z.object({
  pid: z.number().int(),
  startedTicks: z.number().int(),
  url: z.string(),
  httpUrl: z.string(),
  fingerprint: z.string().optional(),
  version: z.string(),
  startedAt: z.number(),
  /** It is ending, and gives out no more work. */
  draining: z.boolean().default(false),
  /** It was started for one look or order, and nobody who works comes to it. */
  looking: z.boolean().default(false),
});
/** What a running orchestrator says of itself in the state folder. */
export type OrchestratorFile = z.infer<typeof orchestratorFile>;

/** The orchestrator of a state folder, if one runs; a file that a crashed one left behind counts as none. */
export function runningOrchestrator(folder: StateFolder): OrchestratorFile | undefined {
  if (!existsSync(folder.orchestratorFile)) return undefined;
  let parsed: ReturnType<typeof orchestratorFile.safeParse>;
  try {
    parsed = orchestratorFile.safeParse(JSON.parse(readFileSync(folder.orchestratorFile, 'utf8')));
  } catch {
    // Gone meanwhile, or half a file of a crash: nobody is there.
    return undefined;
  }
  if (!parsed.success) return undefined;
  return isAlive(parsed.data) ? parsed.data : undefined;
}

/** The operator's token of a state folder. Throws AppError E_TOKEN. */
export function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new AppError('E_TOKEN', `the token file ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
