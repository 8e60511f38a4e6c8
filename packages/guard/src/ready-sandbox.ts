/** One sandbox that is set up before its command is known: from its start to the moment at which it is taken. */
import { once } from 'node:events';
import { fstatSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { AppError } from '@switchyard/protocol';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import { readStatus, startBubblewrap, type Status } from './bubblewrap-start.ts';
import type { ControlGroup } from './control-group.ts';
import { canBeTold, commandScript, GATE_FD, gateCommand } from './gate-script.ts';
import type { PinnedMount, PinnedMounts } from './pinned-mounts.ts';
import { killGroup } from './plain-sandbox.ts';
import type { CommandStreams } from './process-limits.ts';
import { defaultLimits, type ProcessRequest } from './sandbox-request.ts';

/** bwrap with a command in it, or with a shell that waits for one. */
export interface SetUp {
  readonly child: ChildProcess;
  readonly status: Status;
  readonly group: ControlGroup | undefined;
}

export interface ReadySandbox extends SetUp {
  /** What is mounted inside, in the kernel's own words. */
  readonly mountTable: string;
}

/** A command that comes meanwhile waits for it so long, and then starts one of its own. */
const readyMaxMs = 2_000;

/**
 * All that a sandbox is made of, before its command and its environment: what is mounted where, by inode, and the
 * limits. Undefined where a command cannot be told to one that waits: with a way out, with an input, at great
 * length, with a variable that a shell keeps for itself, or in a folder that is no mount (whoever ran before may have made it anew).
 */
export function placeOf(
  { network, argv, env, cwd, limits }: ProcessRequest,
  { input }: CommandStreams,
  { mounts }: PinnedMounts,
  { toolPart }: BubblewrapParts,
): string | undefined {
  const isMount = mounts.some((mount) => mount.kind === 'bind' && mount.target === cwd);
  if (network !== 'none' || input || !isMount || !canBeTold({ argv, env })) return undefined;
  return JSON.stringify([
    cwd,
    mounts.map(identityOf),
    toolPart.files.map((path) => textOf(statSync(path, { bigint: true, throwIfNoEntry: false }))),
    // What is collected of its output is no matter of the sandbox.
    { ...defaultLimits, ...limits, outputBytes: 0 },
  ]);
}

function identityOf(mount: PinnedMount): unknown {
  if (mount.kind !== 'bind') return mount;
  const { dev, ino } = fstatSync(mount.descriptor, { bigint: true });
  return [mount.target, mount.write, `${dev}:${ino}`];
}

function textOf(stat: BigIntStats | undefined): string {
  return stat === undefined ? '' : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
}

/** Sets one up; the caller closes what is pinned. Throws E_SANDBOX, and kills it, when it does not come to wait. */
export async function setUpReady(
  request: ProcessRequest,
  pinned: PinnedMounts,
  { parts, group }: { readonly parts: BubblewrapParts; readonly group: ControlGroup | undefined },
): Promise<ReadySandbox> {
  const waiting = { ...request, argv: gateCommand, env: {} };
  const access = { isNeeded: false };
  const child = startBubblewrap({ request: waiting, access, streams: 'gate', parts, pinned, group });
  const sandbox = { child, status: readStatus(child), group };
  // Whoever kills it while it waits is noticed when it is taken, or by the status of its command.
  child.on('error', () => undefined);
  gateOf(child).on('error', () => undefined);
  try {
    await untilReady(child);
    const mountTable = mountTableOf(sandbox.status);
    if (mountTable === undefined || !holdsAll(mountTable, pinned.mounts))
      throw new AppError('E_SANDBOX', 'Its mounts are not what was asked for, or cannot be read');
    return { ...sandbox, mountTable };
  } catch (error) {
    await end(sandbox);
    throw error;
  }
}

/** A mount goes away with the name that it is made on, also while bwrap is still at work. Form: proc_pid_mountinfo(5). */
function holdsAll(table: string, mounts: readonly PinnedMount[]): boolean {
  const points = new Map(table.split('\n').map((line) => line.split(' ').slice(4, 6) as [string, string]));
  // Of one place the last mount counts, there and here.
  const wanted = new Map(mounts.map((mount) => [mount.target, mount]));
  return [...wanted].every(([target, mount]) => {
    const options = points.get(target.replace(/[ \t\n\\]/g, octal))?.split(',');
    const isReadOnly = mount.kind === 'hide' || (mount.kind === 'bind' && !mount.write);
    return options !== undefined && (!isReadOnly || options.includes('ro'));
  });
}

const octal = (sign: string): string => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`;

async function untilReady(child: ChildProcess): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(readyMaxMs)]);
  try {
    await Promise.race([
      once(gateOf(child), 'data', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new AppError('E_SANDBOX', `bwrap ended with ${code}`);
      }),
    ]);
  } finally {
    stop.abort();
  }
}

/** Whether it is still what was set up: alive, and with the same mounts; one goes away with what it was made on. */
export function isAsItWas({ child, status, mountTable }: ReadySandbox): boolean {
  return isRunning(child) && mountTableOf(status) === mountTable;
}

/** Its shell becomes the command. */
export function tell({ child }: SetUp, request: ProcessRequest, streams: CommandStreams): void {
  const gate = gateOf(child);
  gate.resume();
  gate.end(commandScript(request, streams));
}

/** Kills it, and waits until bwrap has ended. */
export async function end({ child, group }: SetUp): Promise<void> {
  const ended = isRunning(child) ? once(child, 'exit') : undefined;
  killGroup(child.pid);
  group?.kill();
  await ended;
  for (const stream of child.stdio) stream?.destroy();
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** A connection, as `startBubblewrap` makes it. */
function gateOf({ stdio }: ChildProcess): Duplex {
  const gate = [...stdio][GATE_FD];
  if (gate instanceof Duplex) return gate;
  throw new AppError('E_INTERNAL', 'a sandbox that waits has no gate');
}

function mountTableOf({ childPid }: Status): string | undefined {
  try {
    return childPid === undefined ? undefined : readFileSync(`/proc/${childPid}/mountinfo`, 'utf8');
  } catch {
    return undefined; // it has ended, or is hidden from us: then nobody can say what is mounted
  }
}
