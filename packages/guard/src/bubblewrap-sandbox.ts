import type { ChildProcess } from 'node:child_process';
import { AppError } from '@switchyard/protocol';
import { launch, openShared } from './bubblewrap-launch.ts';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import { collectRun } from './collected-run.ts';
import { withSignal } from './plain-sandbox.ts';
import { heldProcess } from './process-streams.ts';
import type { ProcessRequest, Sandbox } from './sandbox-request.ts';

/** A sandbox of bubblewrap, not yet tested; `openSandbox` does that. Owns `parts.files` and `parts.nodes`. */
export function bubblewrapSandbox(parts: BubblewrapParts): Sandbox {
  const stop = new AbortController();
  const shared = openShared(parts);
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
      const { child, ended, status, ran } = await launch(request, streams, shared);
      const result = await collectRun(child, request, { ended, clock: parts.clock });
      if (result.ended === 'exited' && !status.hasExitCode)
        throw setupError(child, `${result.output}\n${result.stderr ?? ''}`);
      if (request.isOneOfMany === true) shared.ready.ended(ran);
      return result;
    },
    prepare: (asked) => shared.ready.prepare({ ...asked, argv: [], env: {} }),
    forget: (folder) => shared.ready.forget(folder),
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
      await shared.ready.close();
      while (shared.running.size > 0) await Promise.allSettled(shared.running);
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
