import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { AppError } from '@switchyard/protocol';
import { operatingError } from '@switchyard/runtime';
import { ownEnvironment, ownSettings } from './git-environment.ts';
import { gitLimits } from './git-limits.ts';
import { findGit } from './git-program.ts';

/** Where git works and as whom. */
export interface GitPlace {
  readonly gitDir?: string;
  readonly workTree?: string;
  /** Where it looks for a repository when `gitDir` is not given. */
  readonly cwd?: string;
  /** More options before the command. */
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Options in place of the usual ones, for git that acts as the user; then `env` is the whole environment too. */
  readonly safety?: readonly string[];
}

export interface GitOptions {
  readonly stdin?: string | Uint8Array;
  /** Exit codes beside 0 that are answers. */
  readonly accept?: readonly number[];
  readonly timeoutMs?: number;
  /** More output than this is an error. */
  readonly outputBytesMax?: number;
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A running git whose streams the caller connects. */
export type GitChild = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Git at one place: no shell, a cleared environment, no hook and no program that a configuration names. Commands
 * reject with AppError E_NO_GIT, E_TIMEOUT, E_TOO_LARGE (output), E_DISK_FULL, E_IO.
 */
export class Git {
  private readonly place: GitPlace;

  constructor(place: GitPlace = {}) {
    this.place = place;
  }

  static at(gitDir: string, workTree?: string): Git {
    return new Git(workTree === undefined ? { gitDir } : { gitDir, workTree });
  }

  /** The same with more environment variables. */
  with(env: Readonly<Record<string, string>>): Git {
    return new Git({ ...this.place, env: { ...this.place.env, ...env } });
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    const result = await this.finish(await this.start(args), args, options);
    if (result.exitCode === 0 || options.accept?.includes(result.exitCode) === true) return result;
    throw gitError(args, result);
  }

  /** What a command printed, as text without the last line break. */
  async line(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.run(args, options)).stdout.toString('utf8').replace(/\n$/, '');
  }

  /** Whether a command ends well; any other end of its own is a no. */
  async holds(args: readonly string[], options: GitOptions = {}): Promise<boolean> {
    return (await this.finish(await this.start(args), args, options)).exitCode === 0;
  }

  /** Starts a command in a process group of its own; the caller owns it and ends it with `killGit`. */
  async start(args: readonly string[]): Promise<GitChild> {
    const { gitDir, workTree, cwd, safety, options, env } = this.place;
    const child = spawn(
      await findGit(),
      [
        '--literal-pathspecs',
        ...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]),
        ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
        ...(safety ?? ownSettings),
        ...(options ?? []),
        ...args,
      ],
      {
        cwd: cwd ?? workTree ?? '/',
        env: safety === undefined ? { ...ownEnvironment(), ...env } : { ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      },
    );
    // Where descriptors are used up, no stream is made, and only an event tells.
    if ((child.stdio as readonly unknown[] | undefined) !== undefined) return child;
    const [cause] = (await once(child, 'error')) as [Error];
    throw startError(cause);
  }

  private finish(child: GitChild, args: readonly string[], options: GitOptions): Promise<GitResult> {
    const timeoutMs = options.timeoutMs ?? gitLimits.timeoutMs;
    const bytesMax = options.outputBytesMax ?? gitLimits.outputBytes;
    return new Promise((resolve, reject) => {
      const stdout: Buffer[] = [];
      let bytes = 0;
      let stderr = '';
      let stopped: AppError | undefined;
      const stop = (error: AppError): void => {
        stopped ??= error;
        killGit(child);
      };
      const timer = setTimeout(
        () => stop(new AppError('E_TIMEOUT', `git ${verb(args)} took longer than ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      child.stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= bytesMax) stdout.push(chunk);
        else stop(new AppError('E_TOO_LARGE', `git ${verb(args)} printed more than ${bytesMax} bytes`));
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString('utf8')).slice(-gitLimits.stderrBytes);
      });
      child.once('error', (cause) => {
        clearTimeout(timer);
        reject(startError(cause));
      });
      child.once('close', (code) => {
        clearTimeout(timer);
        if (stopped !== undefined) reject(stopped);
        else resolve({ exitCode: code ?? 137, stdout: Buffer.concat(stdout), stderr });
      });
      // A command that ends before it has read all of its input says why by its exit code.
      child.stdin.on('error', () => undefined);
      child.stdin.end(options.stdin);
    });
  }
}

/** Ends a git and the helpers it started; one that has ended already is fine. */
export function killGit(child: GitChild): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // gone in this moment, or not yet the leader of its group
  }
}

function startError(cause: Error): AppError {
  const text = `git could not be started: ${cause.message}`;
  return operatingError(cause) ?? new AppError('E_NO_GIT', text, { cause });
}

/** What a command that ended badly means. */
export function gitError(args: readonly string[], result: Pick<GitResult, 'exitCode' | 'stderr'>): AppError {
  const said = result.stderr.trim().slice(-2000) || `exit code ${result.exitCode}`;
  const isFull = /No space left on device|Disk quota exceeded/i.test(said);
  return new AppError(isFull ? 'E_DISK_FULL' : 'E_IO', `git ${verb(args)} failed: ${said}`, {
    details: { exitCode: result.exitCode },
  });
}

function verb(args: readonly string[]): string {
  return args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c') ?? '';
}
