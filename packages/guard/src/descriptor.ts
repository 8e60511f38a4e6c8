import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Opens a place without opening what is there: no side effects, no blocking on pipes. Not in `fs.constants`. */
export const O_PATH = 0o10000000;

/** The kernel's own way to what a descriptor holds, whatever its names are now. */
export function pathOf(descriptor: number): string {
  return ownDescriptors + descriptor;
}

/** By number where that is the same: the kernel is spared a link, three times in each open. */
const ownDescriptors = `/proc/${readOwnName() === String(process.pid) ? process.pid : 'self'}/fd/`;

function readOwnName(): string {
  try {
    return readlinkSync('/proc/self');
  } catch {
    return ''; // no Linux: the guard says so when it is opened
  }
}

const O_CLOEXEC = 0o2000000;

/** Descriptors from a number on that every child process gets. Node opens none like that, so `ours` are not looked at. */
export function inheritedDescriptors(from: number, ours: ReadonlySet<number> = new Set()): number[] {
  const all = readdirSync('/proc/self/fd').map(Number);
  const others = all.filter((descriptor) => descriptor >= from && !ours.has(descriptor));
  return others.filter((descriptor) => !isClosedOnExec(descriptor)).sort((a, b) => a - b);
}

function isClosedOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags === undefined || (parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return true; // closed meanwhile: the listing of the folder itself
  }
}
