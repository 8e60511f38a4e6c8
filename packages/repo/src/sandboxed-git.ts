import { AppError } from '@switchyard/protocol';
import type { AttemptPlace } from './attempt-place.ts';
import { ownEnvironment, ownSettings } from './git-environment.ts';
import { gitLimits } from './git-limits.ts';
import type { SandboxRun } from './sandbox-run.ts';

interface Where {
  readonly place: AttemptPlace;
  readonly context: { readonly sandbox: SandboxRun };
  /** Set while the attempt can change its files and make git wait. */
  readonly live?: unknown;
}

interface GitOptions {
  readonly stdin?: Uint8Array;
  /** What it may read; default: the tree and all objects. */
  readonly read?: readonly string[] | undefined;
}

/** What git said. */
export interface SandboxedGitResult {
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Git on an attempt's files, in the sandbox: it reads them and the cache, and writes an index and objects. Rejects
 * with AppError E_SANDBOX when it fails, E_TOO_LARGE when it says more than the sandbox keeps.
 */
export async function sandboxedGit(
  args: readonly string[],
  { place, context, live }: Where,
  options: GitOptions = {},
): Promise<SandboxedGitResult> {
  const { PATH: _, ...environment } = ownEnvironment();
  const { stdin, read = [place.tree, place.cacheObjects] } = options;
  const result = await context.sandbox({
    argv: ['git', '--literal-pathspecs', ...ownSettings, ...args],
    cwd: place.tree,
    read: [...read, place.gitDir],
    write: [place.indexFolder, place.objects],
    env: { ...environment, ...place.environment, GIT_DIR: place.gitDir, GIT_WORK_TREE: place.tree },
    timeoutMs: live === undefined ? gitLimits.longTimeoutMs : gitLimits.liveTimeoutMs,
    ...(stdin !== undefined && { stdin }),
  });
  const what = `git ${args[0] ?? ''} on the attempt's files`;
  if (result.exitCode !== 0)
    throw new AppError('E_SANDBOX', `${what} failed: ${result.stderr.trim().slice(-1000)}`);
  if (result.stdout.length >= gitLimits.outputBytes)
    throw new AppError('E_TOO_LARGE', `${what} says more than ${gitLimits.outputBytes} bytes`);
  return { stdout: Buffer.from(result.stdout), stderr: result.stderr };
}
