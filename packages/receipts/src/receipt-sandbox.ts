/** A place that a command sees; the guard's mounts without what is not needed here. */
export type ReceiptMount =
  | { readonly kind: 'write' | 'read'; readonly source: string; readonly target?: string }
  | { readonly kind: 'scratch'; readonly target: string };

/** One command for the sandbox. */
export interface ReceiptCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly mounts: readonly ReceiptMount[];
  readonly env: Readonly<Record<string, string>>;
  readonly network:
    | 'none'
    | {
        /** `host`, `*.host` or an address, with or without port. */
        readonly allow: readonly string[];
        /** The same for what the operator's own configuration names: these may be private. */
        readonly operator: readonly string[];
      };
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (chunk: string) => void;
}

/** The guard's sandbox as an interface, so that this package does not know the guard. */
export interface ReceiptSandbox {
  /** `none`: nothing is mounted, so layers are copied into their places. */
  readonly tier: 'bubblewrap' | 'none';
  /** Rejects with AppError E_SANDBOX and friends, never for an exit code. */
  run(command: ReceiptCommand): Promise<{
    readonly exitCode: number;
    readonly ended: 'exited' | 'timed-out' | 'killed';
    readonly output: string;
    readonly truncated: boolean;
    readonly durationMs: number;
    /** Places that the command asked for and did not get. */
    readonly refusedHosts?: readonly string[];
  }>;
}
