import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import {
  bubblewrapArguments,
  limitedCommand,
  type HandedDescriptors,
  type PrivateName,
} from './bubblewrap-arguments.ts';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import type { ControlGroup } from './control-group.ts';
import { inheritedDescriptors } from './descriptor.ts';
import type { PinnedMounts } from './pinned-mounts.ts';
import type { PrivateFiles } from './private-files.ts';
import type { SandboxRequest } from './sandbox-request.ts';

/** Descriptors 0 to 2 are the command's own; then the arguments, the status, and what bwrap mounts. */
const ARGUMENTS_FD = 3;
const STATUS_FD = 4;
const FIRST_HANDED_FD = 5;

/** One command, ready to start. */
export interface Start {
  readonly request: SandboxRequest;
  readonly parts: BubblewrapParts;
  readonly pinned: PinnedMounts;
  readonly group: ControlGroup | undefined;
}

/** Starts bwrap with its arguments, its mounts and its filter all handed over by descriptor. */
export function startBubblewrap({ request, parts, pinned, group }: Start): ChildProcess {
  const handed = new HandedList(parts.files);
  try {
    const options = bubblewrapArguments({
      request,
      mounts: pinned.mounts,
      handed,
      system: parts.system,
      searchPath: parts.searchPath,
      hasBindFd: parts.program.hasBindFd,
    });
    options.push('--json-status-fd', String(STATUS_FD));
    const folders = group?.folders ?? [];
    const command = [parts.program.path, '--args', String(ARGUMENTS_FD), '--', ...limitedCommand(request)];
    const script = launchScript(folders.length, request.separateStreams === true);
    handed.coverInherited();
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...folders, ...command], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: [
        request.stdin === undefined ? 'ignore' : 'pipe',
        'pipe',
        'pipe',
        'pipe',
        'pipe',
        ...handed.list,
      ],
    });
    sendArguments(child, options);
    return child;
  } finally {
    handed.close();
  }
}

/** Enters the control groups before bwrap exists, so that nothing it starts is ever outside them. */
function launchScript(groupCount: number, separateStreams: boolean): string {
  const enter = Array.from({ length: groupCount }, () => 'echo $$ > "$1/cgroup.procs" || exit 125; shift; ');
  return `${enter.join('')}exec "$@"${separateStreams ? '' : ' 2>&1'}`;
}

function sendArguments(child: ChildProcess, options: readonly string[]): void {
  const stream = child.stdio[ARGUMENTS_FD] as Writable | null | undefined; // a pipe, as `start` asks for
  // bwrap may end before it has read them; its status then says that it did not start the command.
  stream?.on('error', () => undefined);
  stream?.end(`${options.join('\0')}\0`);
}

class HandedList implements HandedDescriptors {
  readonly list: (number | 'ignore')[] = [];
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

  pinned(descriptor: number): number {
    return FIRST_HANDED_FD + this.list.push(descriptor) - 1;
  }

  /**
   * Descriptors that this process got from whoever started it, and that a child would get too, are covered by an
   * empty file: one of a folder outside would be a way out.
   */
  coverInherited(): void {
    const free = FIRST_HANDED_FD + this.list.length;
    const inherited = inheritedDescriptors().filter((descriptor) => descriptor >= free);
    if (inherited.length === 0) return;
    const empty = this.#files.open('empty');
    this.#own.push(empty);
    for (const descriptor of inherited) {
      while (FIRST_HANDED_FD + this.list.length < descriptor) this.list.push('ignore');
      this.list.push(empty);
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
}

/** What bwrap tells on its status descriptor: JSON lines, the last only when the command has run. */
export function readStatus(child: ChildProcess): Status {
  const status: Status = { childPid: undefined, pidNamespace: undefined, hasExitCode: false };
  let text = '';
  const stream = child.stdio[STATUS_FD];
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
