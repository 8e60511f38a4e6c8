import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@switchyard/protocol';
import { privateNames, type PrivateName } from './bubblewrap-arguments.ts';
import { findBubblewrap } from './bubblewrap-program.ts';
import { bubblewrapSandbox } from './bubblewrap-sandbox.ts';
import { openControlGroups } from './control-group.ts';
import { openPlainSandbox } from './plain-sandbox.ts';
import { PrivateFiles } from './private-files.ts';
import { seccompProgram } from './seccomp.ts';
import type { Sandbox, SandboxOptions } from './sandbox-request.ts';
import { selfTest } from './self-test.ts';
import { syscallTable } from './syscall-numbers.ts';
import { homeInside, systemMounts } from './system-mounts.ts';
import { searchPathInside, toolchains } from './toolchains.ts';

/**
 * Opens the sandbox of this machine and tests it: a command in it must not get out. Throws E_SANDBOX_UNAVAILABLE,
 * with what is missing and the command that mends it; commands are then refused, never run free.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const found = toolchains({ searchPath: options.searchPath });
  const searchPath = searchPathInside(found, options.searchPath);
  if (options.mode === 'off') return openPlainSandbox({ clock: options.clock, searchPath });
  const table = syscallTable(process.arch);
  if (process.platform !== 'linux' || table === undefined)
    throw new AppError(
      'E_SANDBOX_UNAVAILABLE',
      `Commands cannot be isolated on ${process.platform} ${process.arch}: the sandbox needs Linux on x64 or arm64. ` +
        'Run Switchyard in a Linux machine or container, or turn the sandbox off in words: --no-sandbox',
    );
  const sandbox = bubblewrapSandbox({
    program: await findBubblewrap(options.bwrapPath),
    files: new PrivateFiles(privateContents(seccompProgram(table))),
    groups: options.controlGroups === 'off' ? undefined : openControlGroups(),
    system: systemMounts(found),
    searchPath,
    clock: options.clock,
    logger: options.logger,
  });
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-self-test-'));
  try {
    await selfTest(sandbox, folder);
    return sandbox;
  } catch (error) {
    await sandbox.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The few files of /etc that are ours: a user with no name of this machine, and no owner check of git's. */
function privateContents(seccomp: Buffer): Record<PrivateName, string | Uint8Array> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const root = uid === 0 ? '' : 'root:x:0:0:root:/nonexistent:/bin/sh\n';
  const contents: Record<PrivateName, string | Uint8Array> = {
    passwd: `agent:x:${uid}:${gid}:agent:${homeInside}:/bin/sh\n${root}nobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n`,
    group: `agent:x:${gid}:\n${gid === 0 ? '' : 'root:x:0:\n'}nogroup:x:65534:\n`,
    gitconfig: '[safe]\n\tdirectory = *\n[user]\n\tname = agent\n\temail = agent@sandbox.invalid\n',
    hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
    nsswitch: 'passwd: files\ngroup: files\nhosts: files dns\nprotocols: files\nservices: files\n',
    seccomp,
    empty: '',
  };
  return Object.fromEntries(privateNames.map((name) => [name, contents[name]])) as typeof contents;
}
