import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { bubblewrapArguments, type HandedDescriptors, type PrivateName } from './bubblewrap-arguments.ts';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import { checkStarted } from './check-started.ts';
import type { ControlGroup } from './control-group.ts';
import { inheritedDescriptors } from './descriptor.ts';
import { GATE_FD } from './gate-script.ts';
import { openDoors } from './group-entry.ts';
import type { PinnedMounts } from './pinned-mounts.ts';
import type { PrivateFiles } from './private-files.ts';
import { limitedCommand, type CommandStreams } from './process-limits.ts';
import type { ProcessRequest } from './sandbox-request.ts';

/**
 * Descriptors 0 to 2 are the command's own; then the arguments, the status, the gate where a command is awaited, the
 * doors of the group, and what bwrap mounts.
 */
const ARGUMENTS_FD = 3;
const STATUS_FD = 4;
const FIRST_HANDED_FD = 5;

/** One command, ready to start. */
export interface Start {
  readonly request: ProcessRequest;
  /** `gate`: the command is a shell that waits for the true one at its gate. */
  readonly streams: CommandStreams | 'gate';
  /** Its ways out; `request` is already theirs. */
  readonly access: { readonly isNeeded: boolean };
  readonly parts: BubblewrapParts;
  readonly pinned: PinnedMounts;
  readonly group: ControlGroup | undefined;
}

/** Starts bwrap with its arguments, its mounts and its filter all handed over by descriptor. */
export function startBubblewrap(start: Start): ChildProcess {
  const { request, access, streams, parts, pinned, group } = start;
  const isGate = streams === 'gate';
  const handed = new HandedList(parts.files);
  const isEnteredInside = group !== undefined && parts.entry === 'inside';
  if (isGate) handed.list.push('pipe');
  try {
    const doors = isEnteredInside ? handed.doors(group) : [];
    const options = bubblewrapArguments({
      request,
      mounts: pinned.mounts,
      handed,
      isOnline: access.isNeeded,
      system: parts.system,
      toolPart: parts.toolPart,
      nodes: parts.nodes.mounts,
      tools: parts.tools,
      hasBindFd: parts.program.hasBindFd,
    });
    options.push('--json-status-fd', String(STATUS_FD));
    const command = [
      parts.program.path,
      '--args',
      String(ARGUMENTS_FD),
      '--',
      ...limitedCommand(request, isGate ? asIs : streams, parts.limits, doors),
    ];
    const [program = '', ...words] = throughGroups(isEnteredInside ? [] : (group?.doors ?? []), command);
    handed.coverInherited();
    const hasInput = !isGate && streams.input;
    const child = spawn(program, words, {
      cwd: '/',
      env: {},
      detached: true,
      stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...handed.list],
    });
    checkStarted(child);
    sendArguments(child, options);
    for (const cover of child.stdio.slice(isGate ? GATE_FD + 1 : FIRST_HANDED_FD)) cover?.destroy();
    return child;
  } finally {
    handed.close();
  }
}

/** A command that puts its streams in order itself. */
const asIs: CommandStreams = { input: true, apart: true };

/** Enters the control groups before bwrap exists. */
function throughGroups(doors: readonly string[], command: readonly string[]): readonly string[] {
  if (doors.length === 0) return command;
  const enter = doors.map(() => 'echo 0 > "$1" || exit 125; shift; ').join('');
  return ['/bin/sh', '-c', `${enter}exec "$@"`, 'sh', ...doors, ...command];
}

function sendArguments(child: ChildProcess, options: readonly string[]): void {
  const stream = child.stdio[ARGUMENTS_FD] as Writable | null | undefined; // a pipe, as `start` asks for
  // bwrap may end before it has read them; its status then says that it did not start the command.
  stream?.on('error', () => undefined);
  stream?.end(`${options.join('\0')}\0`);
}

class HandedList implements HandedDescriptors {
  readonly list: (number | 'ignore' | 'pipe')[] = [];
  readonly #files: PrivateFiles<PrivateName>;
  readonly #own: number[] = [];

  constructor(files: PrivateFiles<PrivateName>) {
    this.#files = files;
  }

  file(name: PrivateName): number {
    const descriptor = this.#files.open(name);
    this.#own.push(descriptor);
    return this.pinned(descriptor);
  }

  live(path: string): number | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    this.#own.push(descriptor);
    return this.pinned(descriptor);
  }

  /** The doors of a group, first of all. */
  doors(group: ControlGroup): number[] {
    const doors = openDoors(group);
    this.#own.push(...doors);
    return doors.map((door) => this.pinned(door));
  }

  pinned(descriptor: number): number {
    return FIRST_HANDED_FD + this.list.push(descriptor) - 1;
  }

  /**
   * Descriptors that this process got from whoever started it, and that a child would get too, are covered by one end
   * of a connection whose other end is closed: one of a folder outside would be a way out, and a file of ours would be
   * a place where one command leaves something for another.
   */
  coverInherited(): void {
    const free = FIRST_HANDED_FD + this.list.length;
    const ours = new Set([...this.#files.descriptors, ...this.#own]);
    for (const descriptor of inheritedDescriptors(free, ours)) {
      while (FIRST_HANDED_FD + this.list.length < descriptor) this.list.push('ignore');
      this.list.push('pipe');
    }
  }

  close(): void {
    for (const descriptor of this.#own.splice(0)) closeSync(descriptor);
  }
}

/** What bwrap has told so far. */
export interface Status {
  childPid: number | undefined;
  pidNamespace: number | undefined;
  hasExitCode: boolean;
  /** When there is no more to come. */
  readonly closed: Promise<void>;
}

/** What bwrap tells on its status descriptor: JSON lines, the last only when the command has run. */
export function readStatus(child: ChildProcess): Status {
  const stream = child.stdio[STATUS_FD];
  const status: Status = {
    childPid: undefined,
    pidNamespace: undefined,
    hasExitCode: false,
    closed: new Promise((resolve) => stream?.once('close', () => resolve())),
  };
  let text = '';
  stream?.on('error', () => undefined); // ends with the child, whatever happens to the pipe
  stream?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    status.childPid ??= numberIn(text, /"child-pid": (\d+)/);
    status.pidNamespace ??= numberIn(text, /"pid-namespace": (\d+)/);
    status.hasExitCode ||= text.includes('"exit-code"');
  });
  return status;
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
