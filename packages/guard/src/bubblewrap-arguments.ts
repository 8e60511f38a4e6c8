import { cleanEnvironment } from './clean-environment.ts';
import type { PinnedMount } from './pinned-mounts.ts';
import { defaultLimits, type SandboxRequest } from './sandbox-request.ts';
import { homeInside, networkMounts } from './system-mounts.ts';

/** Descriptors handed to the child; the answer is their number there. */
export interface HandedDescriptors {
  /** A private file, opened anew for this command. */
  file(name: PrivateName): number;
  /** A pinned mount source. */
  pinned(descriptor: number): number;
}

export const privateNames = [
  'passwd',
  'group',
  'gitconfig',
  'hosts',
  'nsswitch',
  'seccomp',
  'empty',
] as const;
export type PrivateName = (typeof privateNames)[number];

export interface ArgumentContext {
  readonly request: SandboxRequest;
  readonly mounts: readonly PinnedMount[];
  readonly handed: HandedDescriptors;
  /** Computed once (system-mounts.ts). */
  readonly system: readonly string[];
  readonly searchPath: string;
  /** Whether bwrap has --bind-fd; else the same through /proc/self/fd. */
  readonly hasBindFd: boolean;
}

/** Everything for `bwrap --args` but the command itself. Order matters: a later mount covers an earlier one. */
export function bubblewrapArguments(context: ArgumentContext): string[] {
  const { request, handed } = context;
  const tmpBytes = String(request.limits?.tmpBytes ?? defaultLimits.tmpBytes);
  const isOnline = request.network === 'host';
  return [
    ...isolation,
    ...(isOnline ? ['--share-net'] : []),
    ...context.system,
    ...fileArguments(handed, isOnline),
    ...(isOnline ? networkMounts() : []),
    ...devices(tmpBytes),
    ...context.mounts.flatMap((mount) => mountArguments(mount, { ...context, tmpBytes })),
    '--remount-ro',
    '/',
    '--chdir',
    request.cwd,
    ...environmentArguments(context),
    '--seccomp',
    String(handed.file('seccomp')),
  ];
}

const isolation =
  '--unshare-user --unshare-all --disable-userns --die-with-parent --new-session --cap-drop ALL --clearenv --hostname sandbox'.split(
    ' ',
  );

/**
 * /proc is read-only: to a root of the machine the kernel gives /proc/sys to write even without capabilities, and
 * bwrap masks only what it finds writable as a folder. /dev and the private folders in memory each have a size:
 * none of them may fill the machine.
 */
function devices(tmpBytes: string): string[] {
  const sized = `--size ${tmpBytes} --perms`;
  return (
    `--proc /proc --remount-ro /proc --dev /dev ${sized} 1777 --tmpfs /dev/shm --remount-ro /dev ` +
    `${sized} 1777 --tmpfs /tmp ${sized} 0755 --tmpfs ${homeInside}`
  ).split(' ');
}

function fileArguments(handed: HandedDescriptors, isOnline: boolean): string[] {
  const files: [PrivateName, string][] = [
    ['passwd', '/etc/passwd'],
    ['group', '/etc/group'],
    ['gitconfig', '/etc/gitconfig'],
    ['nsswitch', '/etc/nsswitch.conf'],
  ];
  if (!isOnline) files.push(['hosts', '/etc/hosts']);
  return files.flatMap(([name, path]) => ['--perms', '0444', '--file', String(handed.file(name)), path]);
}

function mountArguments(mount: PinnedMount, context: ArgumentContext & { tmpBytes: string }): string[] {
  const { target } = mount;
  switch (mount.kind) {
    case 'bind': {
      const fd = context.handed.pinned(mount.descriptor);
      const option = mount.write ? '--bind' : '--ro-bind';
      return context.hasBindFd
        ? [`${option}-fd`, String(fd), target]
        : [option, `/proc/self/fd/${fd}`, target];
    }
    case 'memory':
      return ['--size', context.tmpBytes, '--tmpfs', target];
    case 'hide':
      return mount.isFolder
        ? ['--size', '4096', '--perms', '0555', '--tmpfs', target, '--remount-ro', target]
        : ['--perms', '0444', '--ro-bind-data', String(context.handed.file('empty')), target];
  }
}

function environmentArguments(context: ArgumentContext): string[] {
  const all = { ...cleanEnvironment(context.searchPath, homeInside), ...context.request.env };
  return Object.entries(all).flatMap(([name, value]) => ['--setenv', name, value]);
}

/** The command, with the limits that must be set inside: outside they would bind bwrap and the user as a whole. */
export function limitedCommand(request: SandboxRequest): string[] {
  const { limits } = request;
  return [
    '/usr/bin/prlimit',
    `--nproc=${limits?.processes ?? defaultLimits.processes}`,
    `--fsize=${limits?.fileBytes ?? defaultLimits.fileBytes}`,
    `--data=${limits?.memoryBytes ?? defaultLimits.memoryBytes}`,
    `--nofile=${defaultLimits.openFiles}`,
    '--core=0',
    '--',
    ...request.argv,
  ];
}
