import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, isAppError } from '@switchyard/protocol';
import type { OwnName, PrivateName } from './bubblewrap-arguments.ts';
import { findBubblewrap } from './bubblewrap-program.ts';
import { bubblewrapSandbox } from './bubblewrap-sandbox.ts';
import type { ToolSettings } from './clean-environment.ts';
import { openControlGroups } from './control-group.ts';
import { openDeviceNodes } from './device-nodes.ts';
import { forwarderScript } from './forwarder.ts';
import { findGroupEntry } from './group-entry.ts';
import { openPlainSandbox } from './plain-sandbox.ts';
import { PrivateFiles } from './private-files.ts';
import { findLimitSetter } from './process-limits.ts';
import { seccompProgram } from './seccomp.ts';
import type { Sandbox, SandboxOptions } from './sandbox-request.ts';
import { removeStaleFolders, selfTestPrefix } from './stale-folders.ts';
import { selfTest } from './self-test.ts';
import { syscallTable } from './syscall-numbers.ts';
import { homeInside, systemPart, toolPart, type ToolPart } from './system-mounts.ts';
import { toolVersions } from './tool-versions.ts';
import { searchPathInside, toolchains, toolEnvironment } from './toolchains.ts';

/**
 * Opens the sandbox of this machine and tests it: a command in it must not get out. Throws E_SANDBOX_UNAVAILABLE,
 * with what is missing and the command that mends it; commands are then refused, never run free.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { searchPath, home = homedir() } = options;
  const found = toolchains({ searchPath, home });
  const tools: ToolSettings = {
    searchPath: searchPathInside(found, searchPath),
    env: toolEnvironment(found),
    versions: toolVersions(home),
  };
  if (options.mode === 'off') return openPlainSandbox({ clock: options.clock, tools });
  const table = syscallTable(process.arch);
  if (process.platform !== 'linux' || table === undefined)
    throw new AppError(
      'E_SANDBOX_UNAVAILABLE',
      `Commands cannot be isolated on ${process.platform} ${process.arch}: the sandbox needs Linux on x64 or arm64. ` +
        'Run Switchyard in a Linux machine or container, or turn the sandbox off in words: --no-sandbox',
    );
  try {
    return await openBubblewrap(options, {
      seccomp: seccompProgram(table),
      tools,
      toolPart: toolPart(found),
    });
  } catch (cause) {
    // A disk that is full, a temporary folder that is gone: what the sandbox needs of its own cannot be made.
    if (isAppError(cause) || !(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new AppError('E_SANDBOX_UNAVAILABLE', `Commands cannot be isolated: ${cause.message}`, { cause });
  }
}

interface Prepared {
  readonly seccomp: Buffer;
  readonly tools: ToolSettings;
  readonly toolPart: ToolPart;
}

async function openBubblewrap(options: SandboxOptions, prepared: Prepared): Promise<Sandbox> {
  const { seccomp, tools } = prepared;
  removeStaleFolders(options.clock.now());
  const folder = mkdtempSync(join(tmpdir(), selfTestPrefix));
  try {
    const system = systemPart();
    const own = ownContents({ seccomp, versions: tools.versions });
    const program = await findBubblewrap(options.bwrapPath);
    const groups = options.controlGroups === 'off' ? undefined : openControlGroups();
    const sandbox = bubblewrapSandbox({
      program,
      groups,
      entry: options.groupEntry === 'outside' ? 'outside' : await findGroupEntry(program, groups),
      limits: findLimitSetter(options.limitsBy ?? 'auto'),
      system,
      toolPart: prepared.toolPart,
      tools,
      upstream: options.upstreamProxy,
      resolve: options.resolve,
      isAhead: options.ahead !== 'off',
      clock: options.clock,
      logger: options.logger,
      files: new PrivateFiles<PrivateName>({ ...own, ...system.copies }),
      nodes: openDeviceNodes(),
    });
    return await tested(sandbox, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tested(sandbox: Sandbox, folder: string): Promise<Sandbox> {
  try {
    await selfTest(sandbox, folder);
    return sandbox;
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** The few files of /etc that are ours: a user with no name of this machine, and no owner check of git's. */
function ownContents({
  seccomp,
  versions,
}: {
  readonly seccomp: Buffer;
  readonly versions: string;
}): Record<OwnName, string | Uint8Array> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const root = uid === 0 ? '' : 'root:x:0:0:root:/nonexistent:/bin/sh\n';
  return {
    passwd: `agent:x:${uid}:${gid}:agent:${homeInside}:/bin/sh\n${root}nobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n`,
    group: `agent:x:${gid}:\n${gid === 0 ? '' : 'root:x:0:\n'}nogroup:x:65534:\n`,
    gitconfig: '[safe]\n\tdirectory = *\n[user]\n\tname = agent\n\temail = agent@sandbox.invalid\n',
    hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
    nsswitch: 'passwd: files\ngroup: files\nhosts: files\nprotocols: files\nservices: files\n',
    'tool-versions': versions,
    forwarder: forwarderScript,
    seccomp,
    empty: '',
  };
}
