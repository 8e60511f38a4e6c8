import type { Clock, Logger } from '@switchyard/runtime';

/** A place of the host, or a private one, that a command sees. Later mounts win over earlier ones. */
export type SandboxMount =
  | {
      readonly kind: 'write' | 'read';
      /** Absolute path on the host. */
      readonly source: string;
      /** Absolute path inside; absent: the same. */
      readonly target?: string;
    }
  | {
      readonly kind: 'scratch';
      readonly target: string;
      /** A private folder of the host; absent: memory, gone with the command. */
      readonly source?: string;
    }
  /** An empty read-only file or folder over what is there; nothing if nothing is there. */
  | { readonly kind: 'hide'; readonly target: string };

/** What a command may use; absent values come from `defaultLimits`. */
export interface SandboxLimits {
  /** Bytes of output kept, half from its head and half from its tail. The rest is read and dropped. */
  readonly outputBytes?: number;
  /** Data memory of one process; with a memory cgroup also of all together. */
  readonly memoryBytes?: number;
  /** Processes and threads at once. */
  readonly processes?: number;
  /** Size of one file. */
  readonly fileBytes?: number;
  /** Size of each private folder in memory: /tmp, the home, /dev/shm, scratch. */
  readonly tmpBytes?: number;
}

/** One command and everything it may touch. */
export interface SandboxRequest {
  /** Program and arguments; a shell line is `['sh', '-c', line]`. */
  readonly argv: readonly string[];
  /** Absolute path inside. */
  readonly cwd: string;
  readonly mounts: readonly SandboxMount[];
  /** On top of the clean environment (PATH, HOME, LANG, TERM, TMPDIR). */
  readonly env: Readonly<Record<string, string>>;
  readonly network: 'none' | 'host';
  /** Wall clock; then the whole tree is killed. */
  readonly timeoutMs: number;
  readonly limits?: SandboxLimits;
  /** Aborting kills the whole tree; the result says `killed`. */
  readonly signal?: AbortSignal;
  /** Called with decoded output as it comes, up to nothing kept back; both streams. */
  readonly onOutput?: (chunk: string) => void;
  readonly stdin?: Uint8Array;
  /** Also gives standard output as bytes and standard error as text, each capped. */
  readonly separateStreams?: boolean;
}

/** How a command ended: by itself, by the wall clock, or by the guard (limit reached, abort). */
export type SandboxEnd = 'exited' | 'timed-out' | 'killed';

export interface SandboxResult {
  /** As a shell counts: 128 + signal; 124 for `timed-out`, 137 for `killed`. */
  readonly exitCode: number;
  readonly ended: SandboxEnd;
  /** Why it was killed, for people; only with `timed-out` and `killed`. */
  readonly reason?: string;
  /** Standard output and error in the order they came, head and tail. */
  readonly output: string;
  /** All bytes that were written, kept or not. */
  readonly outputBytes: number;
  /** With `separateStreams`: the first `outputBytes` bytes of standard output. */
  readonly stdout?: Uint8Array;
  /** With `separateStreams`: standard error, head and tail. */
  readonly stderr?: string;
  readonly truncated: boolean;
  readonly durationMs: number;
}

/** Runs commands, held by what the machine offers. */
export interface Sandbox {
  /** `none` only when the operator turned the sandbox off in words. */
  readonly tier: 'bubblewrap' | 'none';
  /** What this machine gives beyond the tier, in words, for `doctor` and reports. */
  readonly notes: readonly string[];
  /** Throws `E_SANDBOX` when a mount or the sandbox cannot be set up, `E_CANCELLED` once closed. */
  run(request: SandboxRequest): Promise<SandboxResult>;
  /** Kills what still runs and waits for it. */
  close(): Promise<void>;
}

export interface SandboxOptions {
  /** `off` runs commands free; only for an operator who said so. */
  readonly mode: 'auto' | 'off';
  /** The sandbox program; absent: `bwrap` in the system folders, never one from PATH. */
  readonly bwrapPath?: string;
  /** PATH of the daemon: its version managers become readable. Absent: those of the home folder that exist. */
  readonly searchPath?: string;
  /** `off`: no control groups, even where they can be made; limits then hold for each process only. */
  readonly controlGroups?: 'auto' | 'off';
  readonly logger: Logger;
  readonly clock: Clock;
}

const MiB = 1024 * 1024;

/** What a command gets when the request says nothing. */
export const defaultLimits = {
  outputBytes: MiB,
  memoryBytes: 4 * 1024 * MiB,
  processes: 256,
  fileBytes: 1024 * MiB,
  tmpBytes: 256 * MiB,
  openFiles: 4096,
} as const;
