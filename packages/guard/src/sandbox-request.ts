import type { Readable, Writable } from 'node:stream';
import type { Clock, Logger } from '@switchyard/runtime';
import type { UpstreamProxy } from '@switchyard/runtime';

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
  /**
   * Of a command: bytes of output kept, half from its head and half from its tail; the rest is read and dropped. Of a
   * process with streams: bytes that both may give in all (default `streamBytes`); more kills it.
   */
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

/**
 * What a process may reach: hosts through a proxy of ours, and sockets of ours at ports of its own loopback. There is
 * no other way out: the process has a network of its own with nothing but a loopback in it.
 */
export interface SandboxNetwork {
  /**
   * `host`, `*.host`, an address, each with `:port` or for 80 and 443. A name that leads to a private, loopback or
   * link-local address is refused; such a place has to be named by its address, or as `localhost`.
   */
  readonly allow: readonly string[];
  /** Hosts that the operator's own configuration names (package registries): these may be private. */
  readonly operator?: readonly string[];
  /** Unix sockets of the host by the loopback port that leads to them, such as the model gateway. */
  readonly sockets?: readonly { readonly port: number; readonly path: string }[];
}

/** One process and everything it may touch. */
export interface ProcessRequest {
  /** Program and arguments; a shell line is `['sh', '-c', line]`. */
  readonly argv: readonly string[];
  /** Absolute path inside. */
  readonly cwd: string;
  readonly mounts: readonly SandboxMount[];
  /** On top of the clean environment (PATH, HOME, LANG, TERM, TMPDIR). */
  readonly env: Readonly<Record<string, string>>;
  readonly network: 'none' | SandboxNetwork;
  /** Wall clock; then the whole tree is killed. */
  readonly timeoutMs: number;
  readonly limits?: SandboxLimits;
  /** Aborting kills the whole tree; the result says `killed`. */
  readonly signal?: AbortSignal;
}

/** One command, run to its end. */
export interface SandboxRequest extends ProcessRequest {
  /** Called with decoded output as it comes, up to nothing kept back; both streams. */
  readonly onOutput?: (chunk: string) => void;
  readonly stdin?: Uint8Array;
  /** More commands come in the same folder until `forget`: the sandbox of the next is set up behind the answer. */
  readonly isOneOfMany?: boolean;
  /** Also gives standard output as bytes and standard error as text, each capped. */
  readonly separateStreams?: boolean;
}

/** How a command ended: by itself, by the wall clock, or by the guard (limit reached, abort). */
export type SandboxEnd = 'exited' | 'timed-out' | 'killed';

/** The end of a process. */
export interface ProcessEnd {
  /** As a shell counts: 128 + signal; 124 for `timed-out`, 137 for `killed`. */
  readonly exitCode: number;
  readonly ended: SandboxEnd;
  /** Why it was killed, for people; only with `timed-out` and `killed`. */
  readonly reason?: string;
  readonly durationMs: number;
  /** Places (`host:port`) that it asked the proxy for and did not get, each once; only where there is a proxy. */
  readonly refusedHosts?: readonly string[];
}

export interface SandboxResult extends ProcessEnd {
  /** Standard output and error in the order they came, head and tail. */
  readonly output: string;
  /** All bytes that were written, kept or not. */
  readonly outputBytes: number;
  /** With `separateStreams`: the first `outputBytes` bytes of standard output. */
  readonly stdout?: Uint8Array;
  /** With `separateStreams`: standard error, head and tail. */
  readonly stderr?: string;
  readonly truncated: boolean;
}

/** A process that lives on, such as an agent that talks over its standard streams. */
export interface SandboxProcess {
  /** What is written after the end is dropped. */
  readonly stdin: Writable;
  /** To be read, or the process blocks; ends when the whole tree has ended. More than `limits.outputBytes` kills it. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Kills the whole tree; `ended` then says `killed`, with this reason. Once it has ended: nothing. */
  kill(reason: string): void;
  /**
   * When nothing of it lives any more. Rejects with `E_SANDBOX` or `E_SPAWN` when it could not be started, with
   * `E_DISK_FULL` when it was ended because a disk that it may write to ran full.
   */
  readonly ended: Promise<ProcessEnd>;
}

/** Runs commands, held by what the machine offers. */
export interface Sandbox {
  /** `none` only when the operator turned the sandbox off in words. */
  readonly tier: 'bubblewrap' | 'none';
  /** What this machine gives beyond the tier, in words, for `doctor` and reports. */
  readonly notes: readonly string[];
  /**
   * Throws `E_SANDBOX` when a mount or the sandbox cannot be set up, `E_DISK_FULL` when the command was ended because
   * a disk that it may write to ran full, `E_CANCELLED` once closed.
   */
  run(request: SandboxRequest): Promise<SandboxResult>;
  /**
   * A command will soon be run so, whatever it is and whatever its environment: where it can, its sandbox is set up by
   * then. What of the mounts does not exist is made at once, as for the command.
   */
  prepare(request: Omit<ProcessRequest, 'argv' | 'env'>): void;
  /** No more commands come in this folder (`cwd`): what is set up ahead for them is ended, and nothing more will be. */
  forget(folder: string): Promise<void>;
  /** The same for a process whose streams the caller holds. Resolves once it is started; throws as `run` does. */
  start(request: ProcessRequest): Promise<SandboxProcess>;
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
  /** The home folder of these version managers; absent: the one of whoever runs this. */
  readonly home?: string;
  /** `off`: no control groups, even where they can be made; limits then hold for each process only. */
  readonly controlGroups?: 'auto' | 'off';
  /** `outside`: a command's group is entered before its sandbox exists, even where that can wait. */
  readonly groupEntry?: 'auto' | 'outside';
  /** `prlimit`: limits are set by that program, even where the shell can. */
  readonly limitsBy?: 'auto' | 'prlimit';
  /** `off`: no sandbox is set up before its command is known, not even where commands come in a row. */
  readonly ahead?: 'auto' | 'off';
  /** The operator's own proxy, where hosts are reached through one. */
  readonly upstreamProxy?: UpstreamProxy | undefined;
  /** Host names to addresses; absent: as this machine looks them up. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
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
  streamBytes: 1024 * MiB,
} as const;
