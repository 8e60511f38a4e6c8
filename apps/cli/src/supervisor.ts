import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { exitCodes, limits } from '@switchyard/protocol';
import { backoffMs, systemClock, systemRandom } from '@switchyard/runtime';
import type { CommandContext } from './context.ts';
import { daemonCommand, type DaemonName } from './daemon-process.ts';
import { daemonEnvironment } from '@switchyard/access';
import { logText } from './log-text.ts';
import { oneLine, padTo } from './show-text.ts';

interface Child {
  readonly name: string;
  readonly daemon: DaemonName;
  readonly flags: readonly string[];
  process: ChildProcess | undefined;
  retry: NodeJS.Timeout | undefined;
  /** Deaths in a row, none of them long after its start. */
  deaths: number;
  startedAt: number;
}

const backoff = { minMs: 500, maxMs: 30_000 } as const;
/** A child that lived so long starts with a clean sheet. */
const stableMs = 60_000;

/** Exit codes that another start would not change: wrong flags, something missing, a foreign or locked folder. */
const hopeless: ReadonlySet<number> = new Set(
  (['usage', 'planInvalid', 'setupMissing', 'repository', 'conflict', 'storage'] as const).map(
    (name) => exitCodes[name].code,
  ),
);

/**
 * Keeps children alive: starts one that dies again, with backoff; shows what they print behind their names; ends
 * them all within the time of a drain. Each child leads a process group, so that ctrl-C reaches the supervisor
 * alone and nothing of a child is left behind.
 */
export class Supervisor {
  /** Resolves with an exit code when there is nothing left to supervise for. */
  readonly failed: Promise<number>;
  private readonly context: CommandContext;
  private readonly command: typeof daemonCommand;
  private readonly children: Child[] = [];
  private fail: (exitCode: number) => void = () => undefined;
  private stopping = false;

  constructor(context: CommandContext, command: typeof daemonCommand = daemonCommand) {
    this.context = context;
    this.command = command;
    this.failed = new Promise((resolve) => (this.fail = resolve));
  }

  start(name: string, daemon: DaemonName, flags: readonly string[]): void {
    const child: Child = {
      name,
      daemon,
      flags,
      process: undefined,
      retry: undefined,
      deaths: 0,
      startedAt: 0,
    };
    this.children.push(child);
    this.launch(child);
  }

  /** Drains all at the same time; what has not ended then is killed. */
  async stop(): Promise<void> {
    this.stopping = true;
    const living = this.children.flatMap((child) => {
      clearTimeout(child.retry);
      return child.process ?? [];
    });
    const ends = living.map(
      (child) =>
        new Promise<void>((resolve) => (isOver(child) ? resolve() : child.once('exit', () => resolve()))),
    );
    for (const child of living) if (!isOver(child)) child.kill('SIGTERM');
    const late = setTimeout(() => this.killAll(), limits.drainMs + 500);
    await Promise.all(ends);
    clearTimeout(late);
    this.killAll();
  }

  killAll(): void {
    for (const { process: child } of this.children) if (child !== undefined) killGroup(child);
  }

  private launch(child: Child): void {
    const { program, args } = this.command(child.daemon, child.flags);
    const started = spawn(program, args, {
      detached: true,
      // Its input is closed when this process ends, however it ends: a daemon that is told so ends then, too.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: daemonEnvironment(this.context.environment),
    });
    child.process = started;
    child.startedAt = systemClock.monotonic();
    this.show(child, started.stdout);
    this.show(child, started.stderr);
    started.once('error', (error) => this.ended(child, `could not be started: ${error.message}`));
    started.once('exit', (code, signal) =>
      this.ended(child, signal ?? `exit code ${code ?? 'unknown'}`, code ?? undefined),
    );
  }

  private ended(child: Child, how: string, code?: number): void {
    if (child.process !== undefined) killGroup(child.process);
    child.process = undefined;
    if (this.stopping) return;
    const asked = child.daemon === 'orchestrator' && code === exitCodes.ok.code;
    if (asked || (code !== undefined && hopeless.has(code))) {
      this.say(child, asked ? 'was asked to end' : `ended for good: ${how}`);
      return this.fail(code ?? exitCodes.internal.code);
    }
    const lived = systemClock.monotonic() - child.startedAt;
    child.deaths = lived > stableMs ? 1 : child.deaths + 1;
    const delayMs = backoffMs(child.deaths, backoff, systemRandom);
    this.say(child, `ended (${how}); it is started again in ${(delayMs / 1000).toFixed(1)} s`);
    child.retry = setTimeout(() => this.launch(child), delayMs);
  }

  private show(child: Child, stream: Readable): void {
    const { terminal } = this.context;
    createInterface({ input: stream }).on('line', (line) => {
      if (line.startsWith('{')) terminal.out(`${logText(line, child.name, terminal.paint)}\n`);
      else this.say(child, line);
    });
  }

  private say(child: Child, text: string): void {
    this.context.terminal.err(`${padTo(child.name, 12)} ${oneLine(text)}\n`);
  }
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // No such group: everything of it has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
