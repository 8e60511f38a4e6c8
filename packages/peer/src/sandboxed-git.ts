/** What is needed of the guard's sandbox here; the guard fits it. */
export interface GitSandbox {
  run(request: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly mounts: readonly { readonly kind: 'read' | 'write'; readonly source: string }[];
    readonly env: Readonly<Record<string, string>>;
    readonly network: 'none';
    readonly timeoutMs: number;
    readonly limits: { readonly outputBytes: number };
    readonly separateStreams: true;
    readonly stdin?: Uint8Array;
  }): Promise<{
    readonly exitCode: number;
    readonly output: string;
    readonly stdout?: Uint8Array;
    readonly stderr?: string;
  }>;
}

/** A command of git as `repo` asks for it. */
export interface GitRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly write: readonly string[];
  readonly read: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly stdin?: Uint8Array;
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** The guard's sandbox as `repo` asks for it: git on an attempt's tree sees only what it is given. */
export function sandboxedGit(sandbox: GitSandbox): (request: GitRequest) => Promise<GitResult> {
  return async (request) => {
    const result = await sandbox.run({
      argv: request.argv,
      cwd: request.cwd,
      mounts: [
        ...request.read.map((source) => ({ kind: 'read' as const, source })),
        ...request.write.map((source) => ({ kind: 'write' as const, source })),
      ],
      env: request.env,
      network: 'none',
      timeoutMs: request.timeoutMs,
      limits: { outputBytes: 64 * 1024 * 1024 },
      separateStreams: true,
      ...(request.stdin !== undefined && { stdin: request.stdin }),
    });
    return {
      exitCode: result.exitCode,
      stdout: result.stdout ?? new Uint8Array(),
      stderr: result.stderr ?? result.output,
    };
  };
}
