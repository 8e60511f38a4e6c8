import { spawn } from 'node:child_process';
import { AppError } from '@switchyard/protocol';
import { cleanEnvironment } from './clean-environment.ts';
import type { Sandbox, SandboxOptions, SandboxRequest, SandboxResult } from './sandbox-request.ts';
import { supervise } from './supervised-run.ts';

/**
 * No sandbox: for an operator who turned it off in words. Commands see the whole machine; the clean environment,
 * the wall clock, the output limit and the killing of the process group remain.
 */
export function openPlainSandbox(options: SandboxOptions, searchPath: string): Sandbox {
  const stop = new AbortController();
  const running = new Set<Promise<SandboxResult>>();
  return {
    tier: 'none',
    notes: ['commands run without a sandbox'],
    async run(request) {
      if (stop.signal.aborted) throw new AppError('E_CANCELLED', 'The sandbox is closed');
      const result = runPlain({ ...request, ...withSignal(request, stop.signal) }, { options, searchPath });
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
    },
  };
}

/** The request's signal and the sandbox's own in one. */
export function withSignal(request: SandboxRequest, own: AbortSignal): { signal: AbortSignal } {
  return { signal: request.signal === undefined ? own : AbortSignal.any([own, request.signal]) };
}

function runPlain(
  request: SandboxRequest,
  context: { readonly options: SandboxOptions; readonly searchPath: string },
): Promise<SandboxResult> {
  const [program, ...rest] = request.argv;
  if (program === undefined) throw new AppError('E_SANDBOX', 'A command needs a program');
  const child = spawn(program, rest, {
    cwd: request.cwd,
    env: { ...cleanEnvironment(context.searchPath, '/tmp'), ...request.env },
    stdio: [request.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  return supervise({ child, request, clock: context.options.clock, killTree: () => killGroup(child.pid) });
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
