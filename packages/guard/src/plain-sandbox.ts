import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import { cleanEnvironment } from './clean-environment.ts';
import type { Sandbox, SandboxMount, SandboxRequest, SandboxResult } from './sandbox-request.ts';
import { supervise } from './supervised-run.ts';

interface PlainParts {
  readonly clock: Clock;
  readonly searchPath: string;
}

/**
 * No sandbox: for an operator who turned it off in words. Commands see the whole machine; the clean environment, a
 * private home, the wall clock, the output limit and the killing of the process group remain. A mount at another
 * place than its source becomes a link for the time of the command; nothing is hidden and nothing read-only.
 */
export function openPlainSandbox(parts: PlainParts): Sandbox {
  const stop = new AbortController();
  const running = new Set<Promise<SandboxResult>>();
  const home = mkdtempSync(join(tmpdir(), 'switchyard-home-'));
  return {
    tier: 'none',
    notes: ['commands run without a sandbox: they can read and change everything that this user can'],
    async run(request) {
      if (stop.signal.aborted) throw new AppError('E_CANCELLED', 'The sandbox is closed');
      const result = runPlain({ ...request, ...withSignal(request, stop.signal) }, { ...parts, home });
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    async close() {
      stop.abort();
      await Promise.allSettled(running);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The request's signal and the sandbox's own in one. */
export function withSignal(request: SandboxRequest, own: AbortSignal): { signal: AbortSignal } {
  return { signal: request.signal === undefined ? own : AbortSignal.any([own, request.signal]) };
}

async function runPlain(
  request: SandboxRequest,
  context: PlainParts & { readonly home: string },
): Promise<SandboxResult> {
  const [program, ...rest] = request.argv;
  if (program === undefined) throw new AppError('E_SANDBOX', 'A command needs a program');
  const links = request.mounts.flatMap(placeMount);
  try {
    const child = spawn(program, rest, {
      cwd: request.cwd,
      env: { ...cleanEnvironment(context.searchPath, context.home), ...request.env },
      stdio: [request.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    return await supervise({ child, request, clock: context.clock, killTree: () => killGroup(child.pid) });
  } finally {
    for (const link of links) rmSync(link, { force: true });
  }
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

/** Kills a process group; one that is gone is fine. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
