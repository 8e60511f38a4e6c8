import { spawn } from 'node:child_process';
import { AppError } from '@switchyard/protocol';

/** One git command on the host. */
export interface HostGitOptions {
  /** Also the working directory, where `workTree` is absent. */
  readonly gitDir: string;
  readonly workTree?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Standard output beyond it ends the command; what came so far is the answer. */
  readonly outputBytesMax?: number;
}

/** How a git command ended. */
export interface HostGitResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const stderrBytesMax = 64 * 1024;

/** Settings of every git command, on the host and in the sandbox: nothing of the machine's, nothing that runs code. */
export const gitSettings: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.quotePath=false',
  'core.autocrlf=false',
  'core.fileMode=true',
  'core.symlinks=true',
  'core.ignoreCase=false',
  'core.precomposeUnicode=false',
  'submodule.recurse=false',
  'safe.bareRepository=explicit',
  'gc.auto=0',
  'maintenance.auto=false',
  'commit.gpgSign=false',
  'http.followRedirects=false',
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=120',
].flatMap((setting) => ['-c', setting]);

/** The environment of every git command. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
};

/** Runs git on a directory of our own. Rejects with AppError E_NO_GIT, E_TIMEOUT. */
export function hostGit(args: readonly string[], options: HostGitOptions): Promise<HostGitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...gitSettings, ...args], {
      cwd: options.workTree ?? options.gitDir,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        HOME: '/nonexistent',
        ...gitEnvironment,
        GIT_DIR: options.gitDir,
        ...(options.workTree !== undefined && { GIT_WORK_TREE: options.workTree }),
        ...options.env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    let outBytes = 0;
    let stderr = '';
    let isLate = false;
    const timer = setTimeout(
      () => {
        isLate = true;
        child.kill('SIGKILL');
      },
      options.timeoutMs ?? 10 * 60_000,
    );
    child.stdout.on('data', (chunk: Buffer) => {
      out.push(chunk);
      outBytes += chunk.length;
      if (options.outputBytesMax !== undefined && outBytes > options.outputBytesMax) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-stderrBytesMax);
    });
    // A command that ends before it has read all of its input says why by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin);
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new AppError('E_NO_GIT', `git cannot be started: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (isLate) reject(new AppError('E_TIMEOUT', `git ${args[0] ?? ''} took too long`));
      else resolve({ exitCode: code ?? 137, stdout: Buffer.concat(out), stderr });
    });
  });
}

/** The same, for commands that must end well: standard output. Rejects with AppError E_STORAGE otherwise. */
export async function mustGit(args: readonly string[], options: HostGitOptions): Promise<Buffer> {
  const result = await hostGit(args, options);
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.trim().slice(-1000);
  throw new AppError('E_STORAGE', `git ${args[0] ?? ''} failed in ${options.gitDir}: ${said}`);
}
