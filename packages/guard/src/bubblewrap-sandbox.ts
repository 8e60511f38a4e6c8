import type { ChildProcess } from 'node:child_process';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { AppError } from '@switchyard/protocol';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import { readStatus, startBubblewrap, type Start, type Status } from './bubblewrap-start.ts';
import { collectRun, withinGrace } from './collected-run.ts';
import type { ControlGroup } from './control-group.ts';
import { openNetworkAccess, type NetworkAccess } from './network-access.ts';
import { killGroup, withSignal } from './plain-sandbox.ts';
import { superviseProcess, type ProcessLife } from './process-life.ts';
import { isGone, watchProcesses } from './process-count.ts';
import { heldProcess } from './process-streams.ts';
import { defaultLimits, type ProcessEnd, type ProcessRequest, type Sandbox } from './sandbox-request.ts';
import { SetupTurns, type Turn } from './setup-turns.ts';

/** What outlives one process. */
interface Shared {
  readonly parts: BubblewrapParts;
  readonly turns: SetupTurns;
  /** Processes that live, by their whole end: nothing of them is left open then. */
  readonly running: Set<Promise<unknown>>;
  /** Control groups on their way out: the kernel takes milliseconds, and no answer waits for it. */
  readonly leaving: Set<Promise<void>>;
}

/** A sandbox of bubblewrap, not yet tested; `openSandbox` does that. Owns `parts.files` and `parts.nodes`. */
export function bubblewrapSandbox(parts: BubblewrapParts): Sandbox {
  const stop = new AbortController();
  const shared: Shared = { parts, turns: new SetupTurns(parts), running: new Set(), leaving: new Set() };
  const open = <Request extends ProcessRequest>(request: Request): Request => {
    if (stop.signal.aborted) throw new AppError('E_CANCELLED', 'The sandbox is closed');
    checkRequest(request);
    return { ...request, ...withSignal(request, stop.signal) };
  };
  return {
    tier: 'bubblewrap',
    notes: notesOf(parts),
    async run(asked) {
      const request = open(asked);
      const streams = { input: request.stdin !== undefined, apart: request.separateStreams === true };
      const { child, ended, status } = await launch(request, streams, shared);
      const result = await collectRun(child, request, { ended, clock: parts.clock });
      if (result.ended === 'exited' && !status.hasExitCode)
        throw setupError(child, `${result.output}\n${result.stderr ?? ''}`);
      return result;
    },
    async start(asked) {
      const request = open(asked);
      const started = await launch(request, { input: true, apart: true }, shared);
      const { child, life, status } = started;
      return heldProcess({ child, life, request, ended: started.ended }, (end, words) => {
        if (end.ended === 'exited' && !status.hasExitCode) throw setupError(child, words);
      });
    },
    async close() {
      stop.abort();
      await Promise.allSettled(shared.running);
      await Promise.all(shared.leaving);
      parts.files.close();
      parts.nodes.close();
    },
  };
}

function notesOf({ program, groups }: BubblewrapParts): string[] {
  const controllers = groups?.controllers ?? [];
  return [
    `bubblewrap ${program.version} at ${program.path}`,
    ...(program.followsPlantedLinks
      ? [
          'its hole CVE-2026-87766 (mended in 0.12) is kept closed: no mount is made through a link, and none in a folder where another command runs',
        ]
      : []),
    controllers.includes('pids')
      ? 'processes are limited by a control group'
      : process.getuid?.() === 0
        ? 'processes are limited by counting them only, which is too slow for a fork bomb on a busy machine (RLIMIT_NPROC does not bind root): run as an ordinary user, or where control groups can be made'
        : 'processes are limited by RLIMIT_NPROC and by counting them',
    controllers.includes('memory')
      ? 'memory is limited by a control group and for each process'
      : 'memory is limited for each process only',
  ];
}

function checkRequest(request: ProcessRequest): void {
  const words = [...request.argv, request.cwd, ...Object.entries(request.env).flat()];
  if (request.argv.length === 0) throw new AppError('E_SANDBOX', 'A command needs a program');
  if (words.some((word) => word.includes('\0')))
    throw new AppError('E_SANDBOX', 'A command, its folder and its environment cannot hold NUL bytes');
  const badName = Object.keys(request.env).find((name) => name === '' || name.includes('='));
  if (badName !== undefined)
    throw new AppError('E_SANDBOX', `"${badName}" cannot be the name of an environment variable`);
}

interface Launched {
  readonly child: ChildProcess;
  readonly life: ProcessLife;
  readonly status: Status;
  /** The end of the whole tree, and of all that was opened for it. */
  readonly ended: Promise<ProcessEnd>;
}

/** Opens the ways out, waits for the turn, pins the mounts and starts. */
async function launch(request: ProcessRequest, streams: Start['streams'], shared: Shared): Promise<Launched> {
  const { parts } = shared;
  const access = await openNetworkAccess(request, parts);
  let turn: Turn | undefined;
  let group: ControlGroup | undefined;
  const release = async (): Promise<void> => {
    turn?.done();
    turn?.pinned.close();
    if (group !== undefined) leave(group, shared);
    await access.close();
  };
  try {
    turn = await shared.turns.take(access.request);
    group = makeGroup(request, parts);
    const { pinned } = turn;
    const child = startBubblewrap({ request: access.request, access, streams, parts, pinned, group });
    const status = readStatus(child);
    const life = watchOver({ child, request, status, group }, parts);
    const ended = endOf({ life, status, access, release }, parts);
    const settled: Promise<unknown> = ended.catch(() => undefined).then(() => shared.running.delete(settled));
    shared.running.add(settled);
    return { child, life, status, ended };
  } catch (error) {
    await release();
    throw error;
  }
}

function makeGroup({ limits }: ProcessRequest, { groups, entry }: BubblewrapParts): ControlGroup | undefined {
  const processes = limits?.processes ?? defaultLimits.processes;
  const memoryBytes = limits?.memoryBytes ?? defaultLimits.memoryBytes;
  // Entered from outside, bwrap's own two processes count too.
  return groups?.make({ processes: entry === 'inside' ? processes : processes + 2, memoryBytes });
}

function watchOver(
  started: {
    readonly child: ChildProcess;
    readonly request: ProcessRequest;
    readonly status: Status;
    readonly group: ControlGroup | undefined;
  },
  { clock }: BubblewrapParts,
): ProcessLife {
  const { child, request, status, group } = started;
  const processesMax = request.limits?.processes ?? defaultLimits.processes;
  return superviseProcess({
    child,
    request,
    clock,
    killTree: () => {
      killGroup(child.pid);
      group?.kill();
    },
    watch: (exceeded) =>
      watchProcesses({ group, pidNamespace: () => status.pidNamespace, processesMax, clock, exceeded }),
  });
}

async function endOf(
  started: {
    readonly life: ProcessLife;
    readonly status: Status;
    readonly access: NetworkAccess;
    readonly release: () => Promise<void>;
  },
  parts: BubblewrapParts,
): Promise<ProcessEnd> {
  const { life, status, access, release } = started;
  try {
    const end = await life.ended;
    // bwrap's last words may still be in the pipe.
    await withinGrace(parts.clock, status.closed);
    await untilGone(status.childPid, parts);
    const refusedHosts = access.refused();
    return refusedHosts === undefined ? end : { ...end, refusedHosts: [...refusedHosts] };
  } finally {
    await release();
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

function setupError(child: ChildProcess, said: string): AppError {
  const words = said.trim().slice(0, 500);
  // bwrap itself ends by a code; a signal comes from somebody else, while it sets up or later.
  if (child.signalCode !== null)
    return new AppError('E_SANDBOX', `The sandbox was ended from outside (signal ${child.signalCode})`, {
      details: { words },
    });
  const how = `exit code ${child.exitCode}`;
  return new AppError(
    'E_SANDBOX',
    `The sandbox could not be set up (${how}): ${words || 'it said nothing'}`,
    {
      details: { words },
    },
  );
}

function leave(group: ControlGroup, { parts, leaving }: Shared): void {
  const removal = removeGroup(group, parts).finally(() => leaving.delete(removal));
  leaving.add(removal);
}

async function removeGroup(group: ControlGroup, { logger }: BubblewrapParts): Promise<void> {
  if (await group.remove()) return;
  group.kill();
  if (!(await group.remove())) logger.warn({ folders: group.folders }, 'a control group cannot be removed');
}
