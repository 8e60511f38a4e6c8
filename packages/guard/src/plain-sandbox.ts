import { spawn, type ChildProcess } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '@switchyard/protocol';
import { removeTree, type Clock } from '@switchyard/runtime';
import { checkStarted } from './check-started.ts';
import { cleanEnvironment, type ToolSettings } from './clean-environment.ts';
import { collectRun } from './collected-run.ts';
import { killMarked, newMark } from './marked-processes.ts';
import { superviseProcess } from './process-life.ts';
import { heldProcess, type Held } from './process-streams.ts';
import type { ProcessEnd, ProcessRequest, Sandbox, SandboxMount } from './sandbox-request.ts';
import { setupError } from './setup-error.ts';

/** About how long an answer waits for the rest of its tree. */
const treeGraceMs = 256;

interface PlainParts {
  readonly clock: Clock;
  readonly tools: ToolSettings;
}

/**
 * No sandbox: for an operator who turned it off in words. Commands see the whole machine; the clean environment, a
 * home of its own for each command, the wall clock, the output limit and the killing of what it started remain (but
 * for what leaves its process group and loses its mark). A mount at another place than its source becomes a link for
 * the time of the command; nothing is hidden and nothing read-only.
 */
export function openPlainSandbox(parts: PlainParts): Sandbox {
  const stop = new AbortController();
  const running = new Set<Promise<unknown>>();
  const homes = mkdtempSync(join(tmpdir(), 'switchyard-home-'));
  const launch = (request: ProcessRequest, input: boolean): Held => {
    if (stop.signal.aborted) throw new AppError('E_CANCELLED', 'The sandbox is closed');
    const held = startPlain({ ...request, ...withSignal(request, stop.signal) }, { ...parts, homes, input });
    const settled: Promise<unknown> = held.ended.catch(() => undefined).then(() => running.delete(settled));
    running.add(settled);
    return held;
  };
  return {
    tier: 'none',
    notes: ['commands run without a sandbox: they can read and change everything that this user can'],
    async run(request) {
      const { child, ended } = launch(request, request.stdin !== undefined);
      return collectRun(child, request, { ended, clock: parts.clock });
    },
    prepare: () => undefined,
    forget: () => Promise.resolve(),
    start: (request) => new Promise((resolve) => resolve(heldProcess(launch(request, true)))),
    async close() {
      stop.abort();
      await Promise.allSettled(running);
      await removeTree(homes);
    },
  };
}

/** The request's signal and the sandbox's own in one. */
export function withSignal(request: ProcessRequest, own: AbortSignal): { signal: AbortSignal } {
  return { signal: request.signal === undefined ? own : AbortSignal.any([own, request.signal]) };
}

interface PlainContext extends PlainParts {
  readonly homes: string;
  readonly input: boolean;
}

function startPlain(request: ProcessRequest, context: PlainContext): Held {
  const { clock, input, tools } = context;
  const mark = newMark();
  const home = makeHome(context);
  const links = request.mounts.flatMap(placeMount);
  const removeLinks = (): void => {
    for (const link of links) rmSync(link, { force: true });
  };
  let child: ChildProcess;
  try {
    const env = { ...cleanEnvironment(tools, home), ...request.env, ...mark };
    child = spawnPlain({ ...request, env }, input);
  } catch (error) {
    removeLinks();
    rmSync(home, { recursive: true, force: true });
    throw setupError(error);
  }
  const killTree = (): boolean => {
    killGroup(child.pid);
    return killMarked(mark) > 0;
  };
  const life = superviseProcess({ child, request, clock, killTree });
  const end = async (): Promise<ProcessEnd> => {
    try {
      await life.ended;
    } finally {
      await untilTreeGone(child.pid, killTree);
      removeLinks();
      // What a survivor still fills goes when the sandbox is closed.
      await removeTree(home).catch(() => undefined);
    }
    life.throwIfDiskFull();
    return life.ended;
  };
  return { child, life, request, ended: end() };
}

function makeHome({ homes, tools }: PlainContext): string {
  const home = mkdtempSync(join(homes, 'of-'));
  if (tools.versions !== '') writeFileSync(join(home, '.tool-versions'), tools.versions);
  return home;
}

function spawnPlain({ argv, cwd, env }: ProcessRequest, input: boolean): ChildProcess {
  const [program, ...rest] = argv;
  if (program === undefined) throw new AppError('E_SANDBOX', 'A command needs a program');
  const child = spawn(program, rest, {
    cwd,
    env,
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  checkStarted(child);
  return child;
}

/** The link that stands for a mount, if one is needed and its place is free. */
function placeMount(mount: SandboxMount): string[] {
  if (mount.kind === 'hide') return [];
  const target = mount.kind === 'scratch' ? mount.target : (mount.target ?? mount.source);
  if (mount.source === target || lstatSync(target, { throwIfNoEntry: false }) !== undefined) return [];
  mkdirSync(dirname(target), { recursive: true });
  if (mount.source === undefined) {
    mkdirSync(target);
    return [];
  }
  symlinkSync(mount.source, target);
  return [target];
}

/**
 * The kernel takes a moment to end what was killed, and something may have been started in that moment; where nobody
 * collects the dead, nobody waits for long.
 */
async function untilTreeGone(pid: number | undefined, killTree: () => boolean): Promise<void> {
  for (let waitMs = 1; waitMs <= treeGraceMs && (killTree() || isGroupThere(pid)); waitMs *= 2)
    await pause(waitMs);
}

function isGroupThere(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Kills a process group; one that is gone is fine. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
