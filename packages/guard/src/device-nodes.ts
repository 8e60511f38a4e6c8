/**
 * Device nodes for a daemon that owns those of the machine, as root does. bwrap takes /dev/null and its like over from
 * the machine, and their owner may change their mode from inside (no mount option forbids that and leaves them
 * usable). So root gets nodes of its own, which belong to nobody: without capabilities no command can change them.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { processStart, systemRandom } from '@switchyard/runtime';

/** What bwrap takes over from the machine's /dev, by major and minor number (Documentation/admin-guide/devices.txt). */
const devices = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
} as const;
const nobody = 65_534;
const namePrefix = '.switchyard-';

export interface DeviceNodes {
  /** Arguments for bwrap, to stand behind its `--dev`. */
  readonly mounts: readonly string[];
  close(): void;
}

/** Makes the nodes where they are needed; none where this process owns no device, or may make none (the self-test then tells). */
export function openDeviceNodes(folder = '/dev'): DeviceNodes {
  const none: DeviceNodes = { mounts: [], close: () => undefined };
  if (statSync('/dev/null').uid !== process.getuid?.()) return none;
  const own = join(folder, `${namePrefix}${process.pid}-${systemRandom.token(6)}`);
  const close = (): void => rmSync(own, { recursive: true, force: true });
  try {
    removeStale(folder);
    // On the machine's /dev, since /tmp often forbids devices.
    mkdirSync(own, { mode: 0o700 });
    for (const [name, [major, minor]] of Object.entries(devices)) makeNode(join(own, name), major, minor);
  } catch {
    close();
    return none;
  }
  return {
    mounts: Object.keys(devices).flatMap((name) => ['--dev-bind', join(own, name), `/dev/${name}`]),
    close,
  };
}

function makeNode(path: string, major: number, minor: number): void {
  const program = ['/usr/bin/mknod', '/bin/mknod'].find(existsSync) ?? 'mknod';
  execFileSync(program, [path, 'c', String(major), String(minor)], { env: {}, stdio: 'ignore' });
  chmodSync(path, 0o666);
  chownSync(path, nobody, nobody);
}

/** Nodes of daemons that are gone. */
function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(namePrefix)
      ? Number(name.slice(namePrefix.length).split('-')[0])
      : Number.NaN;
    if (Number.isInteger(pid) && processStart(pid) === undefined)
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}
