import type { ChildProcess } from 'node:child_process';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { AppError } from '@switchyard/protocol';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import { readStatus, startBubblewrap } from './bubblewrap-start.ts';
import type { ControlGroup } from './control-group.ts';
import type { PinnedMounts } from './pinned-mounts.ts';
import { killGroup, withSignal } from './plain-sandbox.ts';
import { isGone, watchProcesses } from './process-count.ts';
import { defaultLimits, type Sandbox, type SandboxRequest, type SandboxResult } from './sandbox-request.ts';
import { SetupTurns } from './setup-turns.ts';
import { supervise } from './supervised-run.ts';

/** What outlives one command. */
interface Shared {
  readonly parts: BubblewrapParts;
  readonly turns: SetupTurns;
  /** Control groups on their way out: the kernel takes milliseconds, and no answer waits for it. */
  readonly leaving: Set<Promise<void>>;
}

/** A sandbox of bubblewrap, not yet tested; `openSandbox` does that. Owns `parts.files`. */
export function bubblewrapSandbox(parts: BubblewrapParts): Sandbox {
  const stop = new AbortController();
  const running = new Set<Promise<SandboxResult>>();
  const shared: Shared = { parts, turns: new SetupTurns(parts), leaving: new Set() };
  return {
    tier: 'bubblewrap',
    notes: notesOf(parts),
    async run(request) {
      if (stop.signal.aborted) throw new AppError('E_CANCELLED', 'The sandbox is closed');
      checkRequest(request);
      const result = runOne({ ...request, ...withSignal(request, stop.signal) }, shared);
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
      await Promise.all(shared.leaving);
      parts.files.close();
    },
  };
}

function notesOf({ program, groups }: BubblewrapParts): string[] {
  const controllers = groups?.controllers ?? [];
  return [
    `bubblewrap ${program.version} at ${program.path}`,
    controllers.includes('pids')
      ? 'processes are limited by a control group'
      : 'processes are limited by RLIMIT_NPROC and by counting them',
    controllers.includes('memory')
      ? 'memory is limited by a control group and for each process'
      : 'memory is limited for each process only',
  ];
}

function checkRequest(request: SandboxRequest): void {
  const words = [...request.argv, request.cwd, ...Object.entries(request.env).flat()];
  if (request.argv.length === 0) throw new AppError('E_SANDBOX', 'A command needs a program');
  if (words.some((word) => word.includes('\0')))
    throw new AppError('E_SANDBOX', 'A command, its folder and its environment cannot hold NUL bytes');
  const badName = Object.keys(request.env).find((name) => name === '' || name.includes('='));
  if (badName !== undefined)
    throw new AppError('E_SANDBOX', `"${badName}" cannot be the name of an environment variable`);
}

async function runOne(request: SandboxRequest, shared: Shared): Promise<SandboxResult> {
  const { pinned, done } = await shared.turns.take(request);
  try {
    return await launch(request, shared, pinned);
  } finally {
    done();
    pinned.close();
  }
}

async function launch(
  request: SandboxRequest,
  { parts, leaving }: Shared,
  pinned: PinnedMounts,
): Promise<SandboxResult> {
  const processesMax = request.limits?.processes ?? defaultLimits.processes;
  const memoryBytes = request.limits?.memoryBytes ?? defaultLimits.memoryBytes;
  // bwrap's own two processes count too.
  const group = parts.groups?.make({ processes: processesMax + 2, memoryBytes });
  try {
    const child = startBubblewrap({ request, parts, pinned, group });
    const status = readStatus(child);
    const result = await supervise({
      child,
      request,
      clock: parts.clock,
      killTree: () => {
        killGroup(child.pid);
        group?.kill();
      },
      watch: (kill) =>
        watchProcesses({
          group,
          pidNamespace: () => status.pidNamespace,
          processesMax,
          clock: parts.clock,
          exceeded: kill,
        }),
    });
    await untilGone(status.childPid, parts);
    if (result.ended === 'exited' && !status.hasExitCode) throw setupError(child, result);
    return result;
  } finally {
    if (group !== undefined) {
      const removal = removeGroup(group, parts).finally(() => leaving.delete(removal));
      leaving.add(removal);
    }
  }
}

/** bwrap answers when the command has ended; the kernel ends the rest of the pid namespace just after. */
async function untilGone(pid: number | undefined, { logger }: BubblewrapParts): Promise<void> {
  if (pid === undefined) return;
  // Mostly it takes a fraction of a millisecond, less than a timer.
  for (let turn = 0; turn < 50 && !isGone(pid); turn += 1) await nextTurn();
  for (let waitMs = 1; !isGone(pid); waitMs *= 2) {
    if (waitMs > 1024) {
      logger.warn({ pid }, 'a sandbox does not end after SIGKILL');
      return;
    }
    await pause(waitMs);
  }
}

function setupError(child: ChildProcess, result: SandboxResult): AppError {
  const how = child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
  const words = `${result.output}\n${result.stderr ?? ''}`.trim().slice(0, 500);
  return new AppError(
    'E_SANDBOX',
    `The sandbox could not be set up (${how}): ${words || 'it said nothing'}`,
    {
      details: { words },
    },
  );
}

async function removeGroup(group: ControlGroup, { logger }: BubblewrapParts): Promise<void> {
  if (await group.remove()) return;
  group.kill();
  if (!(await group.remove())) logger.warn({ folders: group.folders }, 'a control group cannot be removed');
}
