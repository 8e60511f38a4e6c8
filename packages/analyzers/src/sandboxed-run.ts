import type { RunCommand } from './engine.ts';

/** What is needed of a sandbox here; the guard's fits it. */
export interface EngineSandbox {
  run(request: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly mounts: readonly { readonly kind: 'read'; readonly source: string }[];
    readonly env: Readonly<Record<string, string>>;
    readonly network: 'none';
    readonly timeoutMs: number;
    readonly limits: { readonly outputBytes: number };
    readonly signal: AbortSignal;
    readonly separateStreams: true;
  }): Promise<{
    readonly exitCode: number;
    readonly output: string;
    readonly stdout?: Uint8Array;
    readonly stderr?: string;
    readonly reason?: string;
  }>;
}

export interface EnginePlace {
  /** The tree under review. */
  readonly root: string;
  /** Folders that the engines' own programs need. */
  readonly readPaths: readonly string[];
  readonly signal: AbortSignal;
}

/** Engines print reports of whole checkouts. */
const outputBytesMax = 64 * 1024 * 1024;

/** Runs an engine's program in the sandbox: the tree and the engine read-only, no network, nothing else. */
export function sandboxedRun(sandbox: EngineSandbox, { root, readPaths, signal }: EnginePlace): RunCommand {
  return async (argv, cwd, options) => {
    const result = await sandbox.run({
      argv,
      cwd,
      mounts: [root, ...readPaths, ...(options?.readPaths ?? [])].map((source) => ({ kind: 'read', source })),
      env: {},
      network: 'none',
      timeoutMs: options?.timeoutMs ?? 60_000,
      limits: { outputBytes: outputBytesMax },
      signal,
      separateStreams: true,
    });
    return {
      exitCode: result.exitCode,
      stdout: new TextDecoder().decode(result.stdout),
      stderr: result.stderr ?? result.output,
      reason: result.reason,
    };
  };
}
