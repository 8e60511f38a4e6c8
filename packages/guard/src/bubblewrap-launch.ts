/** One process in a sandbox of bubblewrap, from its turn to the end of its whole tree. */
import type { ChildProcess } from 'node:child_process';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import { readStatus, startBubblewrap, type Start, type Status } from './bubblewrap-start.ts';
import { withinGrace } from './collected-run.ts';
import type { ControlGroup } from './control-group.ts';
import { openNetworkAccess, type NetworkAccess } from './network-access.ts';
import { killGroup } from './plain-sandbox.ts';
import { superviseProcess, type ProcessLife } from './process-life.ts';
import { isGone, watchProcesses } from './process-count.ts';
import type { CommandStreams } from './process-limits.ts';
import { placeOf, tell, type SetUp } from './ready-sandbox.ts';
import { ReadySandboxes, type Ran } from './ready-sandboxes.ts';
import { defaultLimits, type ProcessEnd, type ProcessRequest } from './sandbox-request.ts';
import { setupError } from './setup-error.ts';
import { SetupTurns, type Turn } from './setup-turns.ts';

/** What outlives one process. */
export interface Shared {
  readonly parts: BubblewrapParts;
  readonly turns: SetupTurns;
  readonly ready: ReadySandboxes;
  /** Processes that start or live, by their whole end: nothing of them is left open then. */
  readonly running: Set<Promise<unknown>>;
  /** Control groups on their way out: the kernel takes milliseconds, and no answer waits for it. */
  readonly leaving: Set<Promise<void>>;
}

export function openShared(parts: BubblewrapParts): Shared {
  const [turns, leaving] = [new SetupTurns(parts), new Set<Promise<void>>()];
  const ready = new ReadySandboxes({
    parts,
    turns,
    makeGroup: (request) => makeGroup(request, parts),
    leave: (group) => leave(group, { parts, leaving }),
  });
  return { parts, turns, ready, running: new Set(), leaving };
}

export interface Launched {
  readonly child: ChildProcess;
  readonly life: ProcessLife;
  readonly status: Status;
  readonly ran: Ran;
  /** The end of the whole tree, and of all that was opened for it. */
  readonly ended: Promise<ProcessEnd>;
}

/** Opens the ways out, waits for the turn, pins the mounts, and starts or takes over what waits there already. */
export function launch(request: ProcessRequest, streams: CommandStreams, shared: Shared): Promise<Launched> {
  return held(launchNow(request, streams, shared), shared);
}

async function launchNow(
  request: ProcessRequest,
  streams: CommandStreams,
  shared: Shared,
): Promise<Launched> {
  const { parts } = shared;
  const startedAt = parts.clock.monotonic();
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
    const { pinned } = turn;
    const place = placeOf(request, streams, pinned, parts);
    const ready = await shared.ready.take(place);
    group = ready === undefined ? makeGroup(request, parts) : ready.group;
    const { child, status } =
      ready ?? started({ request: access.request, access, streams, parts, pinned, group });
    const life = watchOver({ child, request, status, group }, parts);
    if (ready !== undefined) tell(ready, request, streams);
    const ended = held(endOf({ life, status, access, release }, parts), shared);
    return { child, life, status, ended, ran: { place, request, startedAt } };
  } catch (error) {
    await release();
    throw setupError(error);
  }
}

/** Closing the sandbox waits for it, however it goes. */
function held<Work>(work: Promise<Work>, { running }: Shared): Promise<Work> {
  const settled: Promise<unknown> = work.catch(() => undefined).then(() => running.delete(settled));
  running.add(settled);
  return work;
}

function started(start: Start): SetUp {
  const child = startBubblewrap(start);
  return { child, status: readStatus(child), group: start.group };
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
    life.throwIfDiskFull();
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

function leave(group: ControlGroup, { parts, leaving }: Pick<Shared, 'parts' | 'leaving'>): void {
  const removal = removeGroup(group, parts).finally(() => leaving.delete(removal));
  leaving.add(removal);
}

async function removeGroup(group: ControlGroup, { logger }: BubblewrapParts): Promise<void> {
  if (await group.remove()) return;
  group.kill();
  if (!(await group.remove())) logger.warn({ folders: group.folders }, 'a control group cannot be removed');
}
