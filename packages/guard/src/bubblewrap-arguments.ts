import { cleanEnvironment, type ToolSettings } from './clean-environment.ts';
import type { PinnedMount } from './pinned-mounts.ts';
import { defaultLimits, type ProcessRequest } from './sandbox-request.ts';
import { forwarderFolder } from './forwarder.ts';
import { homeInside, type EtcPath, type SystemPart, type ToolPart } from './system-mounts.ts';

/** Descriptors handed to the child; the answer is their number there. */
export interface HandedDescriptors {
  /** A private file, opened anew for this command. */
  file(name: PrivateName): number;
  /** A file of the machine as it is now; undefined where it is gone. */
  live(path: string): number | undefined;
  /** A pinned mount source. */
  pinned(descriptor: number): number;
}

/** Files that are ours. */
export type OwnName =
  | 'passwd'
  | 'group'
  | 'gitconfig'
  | 'hosts'
  | 'nsswitch'
  | 'tool-versions'
  | 'forwarder'
  | 'seccomp'
  | 'empty';
/** These, and copies of files of /etc by their paths. */
export type PrivateName = OwnName | EtcPath;

export interface ArgumentContext {
  readonly request: ProcessRequest;
  readonly mounts: readonly PinnedMount[];
  readonly handed: HandedDescriptors;
  /** Whether the forwarder has to be inside. */
  readonly isOnline: boolean;
  /** Computed once (system-mounts.ts). */
  readonly system: SystemPart;
  readonly toolPart: ToolPart;
  /** Device nodes of its own, for root (device-nodes.ts). */
  readonly nodes: readonly string[];
  readonly tools: ToolSettings;
  /** Whether bwrap has --bind-fd; else the same through /proc/self/fd. */
  readonly hasBindFd: boolean;
}

/** Everything for `bwrap --args` but the command itself. Order matters: a later mount covers an earlier one. */
export function bubblewrapArguments(context: ArgumentContext): string[] {
  const { request, handed } = context;
  const tmpBytes = String(request.limits?.tmpBytes ?? defaultLimits.tmpBytes);
  return [
    ...isolation,
    ...devices(context.nodes, tmpBytes),
    ...context.system.mounts,
    ...fileArguments(context),
    ...privateFolders(tmpBytes),
    ...(context.tools.versions === '' ? [] : file(handed, 'tool-versions', `${homeInside}/.tool-versions`)),
    ...context.toolPart.mounts,
    ...context.toolPart.files.flatMap((path) => copy(handed.live(path), path)),
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
 * First of all: there are many, and each mount costs more the more there are. /dev and the private folders in memory
 * each have a size: none of them may fill the machine.
 */
function devices(nodes: readonly string[], tmpBytes: string): string[] {
  const shared = ['--size', tmpBytes, '--perms', '1777', '--tmpfs', '/dev/shm'];
  return ['--dev', '/dev', ...shared, ...nodes, '--remount-ro', '/dev'];
}

/**
 * /proc is read-only: to a root of the machine the kernel gives /proc/sys to write even without capabilities, and
 * bwrap masks only what it finds writable as a folder.
 */
function privateFolders(tmpBytes: string): string[] {
  const sized = `--size ${tmpBytes} --perms`;
  return `--proc /proc --remount-ro /proc ${sized} 1777 --tmpfs /tmp ${sized} 0755 --tmpfs ${homeInside}`.split(
    ' ',
  );
}

function fileArguments({ handed, isOnline, system }: ArgumentContext): string[] {
  const copies = Object.keys(system.copies) as EtcPath[];
  const files: [PrivateName, string][] = [
    ...copies.map((path): [PrivateName, string] => [path, path]),
    ['passwd', '/etc/passwd'],
    ['group', '/etc/group'],
    ['gitconfig', '/etc/gitconfig'],
    ['nsswitch', '/etc/nsswitch.conf'],
    ['hosts', '/etc/hosts'],
  ];
  if (isOnline) files.push(['forwarder', `${forwarderFolder}/forward.cjs`]);
  return files.flatMap(([name, path]) => file(handed, name, path));
}

function file(handed: HandedDescriptors, name: PrivateName, path: string): string[] {
  return copy(handed.file(name), path);
}

/** A file with the content of a descriptor, in a folder that is read-only in the end. */
function copy(descriptor: number | undefined, path: string): string[] {
  return descriptor === undefined ? [] : ['--perms', '0444', '--file', String(descriptor), path];
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
  const all = { ...cleanEnvironment(context.tools, homeInside), ...context.request.env };
  return Object.entries(all).flatMap(([name, value]) => ['--setenv', name, value]);
}
