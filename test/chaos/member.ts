import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How a daemon is started. */
export interface MemberOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The message of its log by which it says that it is ready. */
  readonly readyMessage: string;
  /** What it says on standard error is kept here. */
  readonly errorFile: string;
  /** Exit codes after which it is not started again by itself; its end is then no surprise. */
  readonly finalCodes?: readonly number[] | undefined;
}

interface Life {
  readonly child: ChildProcess;
  /** Resolves with the milliseconds from the start; never rejects. */
  readonly ready: Promise<number>;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
}

/**
 * A daemon that is started again when it ends, as `switchyard up` does it: it leads a process group, and what is
 * left of the group is killed before the next start.
 */
export class Member {
  readonly name: string;
  /** Ends of its own that nobody asked for and no signal explains. */
  readonly surprises: string[] = [];
  lives = 0;
  private readonly options: MemberOptions;
  private life: Life;
  private isStopping = false;

  constructor(options: MemberOptions) {
    this.options = options;
    this.name = options.name;
    this.life = this.launch();
  }

  /** Resolves once the process that runs now, or the one after it, is ready: milliseconds from its start. */
  async ready(): Promise<number> {
    for (;;) {
      const { life } = this;
      const readyMs = await Promise.race([life.ready, life.ended.then(() => undefined)]);
      if (readyMs !== undefined) return readyMs;
      if (this.isStopping) throw new Error(`${this.name} was stopped before it was ready`);
    }
  }

  /** Resolves with the exit code of the process that runs now; null: a signal ended it. */
  ended(): Promise<number | null> {
    return this.life.ended;
  }

  /** Starts it again after a final exit code. */
  startAgain(): void {
    this.life = this.launch();
  }

  kill(): void {
    this.life.child.kill('SIGKILL');
  }

  pause(): void {
    this.life.child.kill('SIGSTOP');
  }

  resume(): void {
    this.life.child.kill('SIGCONT');
  }

  /** Asks it to end and waits; what has not ended in time is killed, and that is a surprise. */
  async stop(timeoutMs: number): Promise<void> {
    this.isStopping = true;
    this.life.child.kill('SIGCONT');
    this.life.child.kill('SIGTERM');
    const late = setTimeout(() => {
      this.surprises.push(`${this.name} did not end within ${timeoutMs} ms of SIGTERM`);
      this.kill();
    }, timeoutMs);
    await this.life.ended;
    clearTimeout(late);
  }

  private launch(): Life {
    const { program, args, cwd, env, readyMessage, errorFile } = this.options;
    this.lives += 1;
    const startedAt = performance.now();
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<number>((resolve) => {
      lines.on('line', (line) => {
        if (line.includes(`"msg":"${readyMessage}"`)) resolve(performance.now() - startedAt);
      });
    });
    child.stderr.on('data', (chunk: Buffer) => appendFileSync(errorFile, chunk));
    const ended = new Promise<number | null>((resolve) => {
      child.once('error', (error) => this.surprises.push(`${this.name} cannot be started: ${error.message}`));
      child.once('close', (code, signal) => {
        this.hasEnded(child, code, signal);
        resolve(code);
      });
    });
    return { child, ready, ended };
  }

  private hasEnded(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    killGroup(child);
    const isFinal = code !== null && this.options.finalCodes?.includes(code) === true;
    const isExplained = isFinal || (this.isStopping ? code === 0 : signal === 'SIGKILL');
    if (!isExplained) this.surprises.push(`${this.name} ended by itself (${signal ?? `exit code ${code}`})`);
    if (!this.isStopping && !isFinal) this.life = this.launch();
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nothing of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
