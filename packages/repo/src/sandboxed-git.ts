import { AppError } from '@switchyard/protocol';
import type { AttemptPlace } from './attempt-place.ts';
import { gitSettings } from './host-git.ts';
import type { SandboxRun } from './sandbox-run.ts';

interface Where {
  readonly place: AttemptPlace;
  readonly context: { readonly sandbox: SandboxRun };
}

interface SandboxedGitOptions {
  readonly stdin?: Uint8Array;
  /** Gets what git says beside its answer. */
  readonly stderr?: (text: string) => void;
}

const timeoutMs = 10 * 60_000;
/** The sandbox keeps no more of standard output. */
const outputBytesMax = 64 * 1024 * 1024;

/** Git on an attempt's files, in the sandbox: it reads them and the cache, and writes an index and objects. */
export async function sandboxedGit(
  args: readonly string[],
  { place, context }: Where,
  options: SandboxedGitOptions = {},
): Promise<Buffer> {
  const result = await context.sandbox({
    argv: ['git', ...gitSettings, ...args],
    cwd: place.tree,
    read: [place.tree, place.gitDir, place.cacheObjects],
    write: [place.indexFolder, place.objects],
    env: { ...place.environment(), GIT_WORK_TREE: place.tree, HOME: '/nonexistent' },
    timeoutMs,
    ...(options.stdin !== undefined && { stdin: options.stdin }),
  });
  const said = result.stderr.trim().slice(-1000);
  if (result.exitCode !== 0)
    throw new AppError('E_SANDBOX', `git ${args[0] ?? ''} on the attempt's files failed: ${said}`);
  if (result.stdout.length >= outputBytesMax)
    throw new AppError('E_TOO_LARGE', `the attempt changed more paths than fit into ${outputBytesMax} bytes`);
  options.stderr?.(result.stderr);
  return Buffer.from(result.stdout);
}
