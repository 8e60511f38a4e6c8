import { readdirSync, readFileSync } from 'node:fs';

/** Opens a place without opening what is there: no side effects, no blocking on pipes. Not in `fs.constants`. */
export const O_PATH = 0o10000000;

const O_CLOEXEC = 0o2000000;

/** Descriptors above 2 that every child process gets; Node opens none of its own like that. */
export function inheritedDescriptors(): number[] {
  const all = readdirSync('/proc/self/fd').map(Number);
  return all.filter((descriptor) => descriptor > 2 && !isClosedOnExec(descriptor)).sort((a, b) => a - b);
}

function isClosedOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags === undefined || (parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return true; // closed meanwhile: the listing of the folder itself
  }
}
