import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openSandbox, takeSnapshot, type Sandbox, type SandboxRequest } from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';

/** Milliseconds, sorted: a plain spawn, a bare bwrap and the sandbox in both ways by turns, and what comes after a time limit. */
export interface SandboxFigures {
  readonly plainMs: readonly number[];
  /** bwrap with its namespaces and hardly a mount: what no sandbox of bubblewrap can be quicker than. */
  readonly bareMs: readonly number[];
  /** The first command in a place: all of its sandbox is set up for it. */
  readonly firstMs: readonly number[];
  /** The first that was announced, as a worker does while it looks at the tree of an attempt. */
  readonly announcedMs: readonly number[];
  /** One of a row of commands in one place, as an agent gives them. */
  readonly sandboxMs: readonly number[];
  /** From the limit to the answer, which comes when nothing of the tree lives any more. */
  readonly limitToDeathMs: readonly number[];
}

const timeoutMs = 150;
const restMs = 100;
const tree = 'trap "" TERM HUP INT; setsid sleep 600 & (setsid sleep 600 &); sleep 600';

/** Starts `true` all ways in turns, so that all see the same machine; then trees that run into their limit. */
export async function runSandboxStart(rounds: number, limits: number): Promise<SandboxFigures> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-bench-')));
  const options = { mode: 'auto', logger: silentLogger(), clock: systemClock } as const;
  const sandbox = await openSandbox(options);
  const unprepared = await openSandbox({ ...options, ahead: 'off' });
  try {
    const figures = {
      plainMs: [] as number[],
      bareMs: [] as number[],
      firstMs: [] as number[],
      announcedMs: [] as number[],
      sandboxMs: [] as number[],
      limitToDeathMs: [] as number[],
    };
    for (let round = 0; round < rounds; round += 1) {
      figures.plainMs.push(await timed(() => plain(folder, [])));
      figures.bareMs.push(await timed(() => plain(folder, bareBwrap)));
      figures.firstMs.push(await timed(() => held(unprepared, folder, 'true')));
      // Other limits are another place: it is never one of a row.
      const announced = { ...requestOf(folder, 'true'), limits: { fileBytes: 1e9 + 512 * round } };
      await pause(restMs);
      sandbox.prepare(announced);
      await takeSnapshot(folder);
      figures.announcedMs.push(await timed(() => sandbox.run(announced), 0));
      figures.sandboxMs.push(await timed(() => held(sandbox, folder, 'true')));
    }
    for (let round = 0; round < limits; round += 1) {
      const wholeMs = await timed(() => held(sandbox, folder, tree));
      figures.limitToDeathMs.push(wholeMs - timeoutMs);
    }
    for (const list of Object.values(figures)) list.sort((a, b) => a - b);
    return figures;
  } finally {
    await Promise.all([sandbox.close(), unprepared.close()]);
    rmSync(folder, { recursive: true });
  }
}

/** The answer counts from the call on, so the start is in it: the figure is an upper bound. */
async function timed(work: () => Promise<unknown>, rest = restMs): Promise<number> {
  // An idle machine: what was made ready, or taken down, behind the answer before has come to rest.
  await pause(rest);
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const bareBwrap =
  'bwrap --unshare-all --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64'.split(
    ' ',
  );

function plain(cwd: string, through: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const [program, ...words] = [...through, '/bin/sh', '-c', 'true'];
    const child = spawn(program, words, { cwd, env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} answered ${code}`)),
    );
    child.stdout.resume();
    child.stderr.resume();
  });
}

function held(sandbox: Sandbox, folder: string, line: string): ReturnType<Sandbox['run']> {
  return sandbox.run(requestOf(folder, line));
}

function requestOf(folder: string, line: string): SandboxRequest {
  return {
    argv: ['/bin/sh', '-c', line],
    cwd: folder,
    mounts: [{ kind: 'write', source: folder }],
    env: {},
    network: 'none',
    timeoutMs: line === 'true' ? 10_000 : timeoutMs,
    isOneOfMany: true,
  };
}
