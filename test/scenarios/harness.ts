import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Real processes on a real repository in a temporary folder; `close` ends and removes all of it. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const runner = join(root, 'tools/program/run.mjs');
export const cliBin = join(root, 'apps/cli/bin/switchyard.mjs');

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the scenario. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly output: () => string;
}

type Role = 'orchestrator' | 'worker' | 'reviewer';

export class Scenario {
  readonly folder = mkdtempSync(join(tmpdir(), 'sy-scenario-'));
  readonly repository = join(this.folder, 'repository');
  readonly stateRoot = join(this.folder, 'state');
  readonly env: NodeJS.ProcessEnv;
  private readonly processes: Running[] = [];

  constructor(files: Readonly<Record<string, string>>, options: { commit?: boolean } = {}) {
    mkdirSync(join(this.folder, 'home'), { recursive: true });
    this.env = {
      PATH: process.env['PATH'],
      HOME: join(this.folder, 'home'),
      LANG: 'C.UTF-8',
      SWITCHYARD_STATE: this.stateRoot,
      GIT_AUTHOR_NAME: 'A User',
      GIT_AUTHOR_EMAIL: 'user@example.org',
      GIT_COMMITTER_NAME: 'A User',
      GIT_COMMITTER_EMAIL: 'user@example.org',
    };
    mkdirSync(this.repository);
    this.git('init', '-q', '-b', 'main');
    this.write(files);
    if (options.commit !== false) this.commit('first');
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const file = join(this.repository, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  commit(message: string): void {
    this.git('add', '-A');
    this.git('commit', '-q', '--allow-empty', '-m', message);
  }

  git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.repository, env: this.env, encoding: 'utf8' });
  }

  /** The state folder of the repository; there once a daemon has run. */
  get state(): string {
    const parent = join(this.stateRoot, 'repositories');
    const [name] = existsSync(parent) ? readdirSync(parent) : [];
    return name === undefined ? '' : join(parent, name);
  }

  daemon(role: Role, ...flags: string[]): Running {
    const words = [runner, `apps/${role}/src/main.ts`, '--repository', this.repository];
    return this.start(process.execPath, [...words, ...flags]);
  }

  /** Runs the command line in the repository. */
  cli(...args: string[]): Running {
    return this.start(process.execPath, [cliBin, ...args]);
  }

  start(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): Running {
    const child = spawn(program, args, {
      cwd: this.repository,
      env: { ...this.env, ...env },
      stdio: [stdin, 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ended>((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
    );
    const running = { child, ended, output: () => stdout + stderr };
    this.processes.push(running);
    return running;
  }

  /** The announced orchestrator, once there is one. */
  async orchestrator(): Promise<{ pid: number; url: string; httpUrl: string }> {
    return until('an orchestrator', () => {
      const file = join(this.state, 'orchestrator.json');
      return this.state !== '' && existsSync(file)
        ? (JSON.parse(readFileSync(file, 'utf8')) as { pid: number; url: string; httpUrl: string })
        : undefined;
    });
  }

  token(): string {
    return readFileSync(join(this.state, 'token'), 'utf8').trim();
  }

  /** Reads the API of the orchestrator. */
  async api<T>(path: string): Promise<T> {
    const { httpUrl } = await this.orchestrator();
    const response = await fetch(httpUrl + path, { headers: { authorization: `Bearer ${this.token()}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Processes whose command line or environment names this scenario's folder. */
  leftovers(): { pid: number; command: string }[] {
    return processesNaming(this.folder);
  }

  async close(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends every process of the scenario. */
  async end(): Promise<void> {
    for (const { child } of this.processes) if (child.exitCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => {
      for (const { child } of this.processes) child.kill('SIGKILL');
    }, 6_000);
    await Promise.all(this.processes.map(({ ended }) => ended));
    clearTimeout(late);
    for (const { pid } of this.leftovers()) process.kill(pid, 'SIGKILL');
  }
}

function processesNaming(text: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (command !== '' && (command.includes(text) || environment.includes(text)))
        found.push({ pid, command });
    } catch {
      // It has ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

/** Waits until `probe` answers something; polls, because what it looks at are files and other processes. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 150_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
