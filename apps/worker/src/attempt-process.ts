import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { AgentProcess, SpawnOptions } from '@switchyard/agents';
import type { SandboxMount, SandboxNetwork } from '@switchyard/guard';
import { AppError } from '@switchyard/protocol';
import type { AttemptPorts } from './ports.ts';

/** Where the processes of one attempt run. */
export interface ProcessPlace {
  readonly ports: AttemptPorts;
  /** The attempt's own folder. */
  readonly folder: string;
  readonly tree: string;
  readonly signal: AbortSignal;
  /** What processes see now; made anew for each, because the one before may have changed what stands where. */
  readonly mounts: () => readonly SandboxMount[];
}

export interface ProcessAsked extends SpawnOptions {
  /** Ways out of its sandbox. */
  readonly sockets?: SandboxNetwork['sockets'];
  readonly hosts?: readonly string[];
}

/** An agent is of many processes, and its home is no place for what is worth keeping. */
const agentProcesses = 1024;
const agentMemoryBytes = 16 * 1024 * 1024 * 1024;

/** Starts a process that lives on in the sandbox of an attempt, with a home of its own. */
export async function startProcess(
  argv: readonly string[],
  asked: ProcessAsked,
  place: ProcessPlace,
): Promise<AgentProcess> {
  const { ports, folder, tree, signal } = place;
  const { sockets = [], hosts = [] } = asked;
  const home = makeHome(folder, asked.homeFiles ?? {});
  const programs = asked.programFolders ?? [];
  const isFree = ports.sandbox.tier === 'none';
  return ports.sandbox.start({
    argv,
    cwd: tree,
    mounts: [
      ...programs.map((source): SandboxMount => ({ kind: 'read', source })),
      ...(asked.writes === 'none' ? unwritable(place) : place.mounts()),
      { kind: 'write', source: home },
    ],
    env: { ...asked.env, HOME: home, CI: '1' },
    network: isFree || sockets.length + hosts.length === 0 ? 'none' : { allow: hosts, sockets },
    timeoutMs: asked.timeoutMs,
    limits: {
      processes: asked.processesMax ?? agentProcesses,
      // Node and Go reserve far more than they use.
      memoryBytes: agentMemoryBytes,
      ...(asked.outputBytesMax !== undefined && { outputBytes: asked.outputBytesMax }),
    },
    signal,
  });
}

/** The same places, none of them writable but those that are thrown away, and where it may leave a word. Throws E_SANDBOX_UNAVAILABLE. */
function unwritable({ ports, folder, mounts }: ProcessPlace): SandboxMount[] {
  if (ports.sandbox.tier === 'none')
    throw new AppError(
      'E_SANDBOX_UNAVAILABLE',
      'agents of this mode may write nothing by themselves, and without a sandbox nothing holds them to that; they are refused. Leave --no-sandbox out; `switchyard doctor` says what the sandbox needs',
    );
  const output = join(folder, 'output');
  return mounts().map((mount) =>
    mount.kind === 'write' && mount.source !== output ? { ...mount, kind: 'read' } : mount,
  );
}

/** Made before its process exists, so nothing can stand in it yet. */
function makeHome(folder: string, files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(folder, 'home-'));
  for (const [name, content] of Object.entries(files)) {
    const path = normalize(name);
    if (path.startsWith('..') || path.startsWith('/'))
      throw new AppError('E_INTERNAL', `${name} is no file of a home folder`);
    mkdirSync(dirname(join(home, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(home, path), content, { mode: 0o600 });
  }
  return home;
}
