/** A file that has no name and never will have one: gone with the last descriptor of it. */
import { constants, fstatSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** As Linux has them; not in `fs.constants`. With O_EXCL, nobody can give the file a name later. */
const O_TMPFILE = 0o20200000;
const flags = O_TMPFILE | constants.O_RDWR | constants.O_EXCL;

/** In memory where there is such a place: a file is made there in a fraction of the time that a disk takes. */
const places = ['/dev/shm', tmpdir()];

/** Undefined where the system has none: an old kernel, a file system that cannot. Whoever asks closes it. */
export function openNameless(): number | undefined {
  for (const place of places)
    try {
      return openSync(place, flags, 0o600);
    } catch {
      // Not there, not ours, or not able to: the next one.
    }
  return undefined;
}

/** What files hold, one behind the other. */
export function readFiles(descriptors: readonly number[]): Buffer {
  const sizes = descriptors.map((descriptor) => fstatSync(descriptor).size);
  const content = memoryOf(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [index, descriptor] of descriptors.entries())
    at += readFile(descriptor, content.subarray(at, at + (sizes[index] ?? 0)));
  return content.subarray(0, at);
}

function readFile(descriptor: number, into: Buffer): number {
  let count = 0;
  for (let got = 1; got > 0 && count < into.length; count += got)
    got = readSync(descriptor, into, count, into.length - count, count);
  return count;
}

/** Memory is given page by page when it is first touched, which takes far longer than to read a file into it. */
let touched = Buffer.alloc(0);
/** Trees grow, and the next listing should fit as well. */
const room = 1.1;
const touchedMax = 64 * 1024 * 1024;

/** For the next of about this size it is touched behind the answer. */
function memoryOf(size: number): Buffer {
  const memory = touched.length >= size && touched.length <= size * room * room ? touched : undefined;
  setImmediate(touch, Math.min(Math.ceil(size * room), touchedMax));
  if (memory === undefined) return Buffer.allocUnsafeSlow(size);
  touched = Buffer.alloc(0);
  return memory.subarray(0, size);
}

function touch(size: number): void {
  try {
    touched = Buffer.allocUnsafeSlow(size).fill(1);
  } catch {
    // There is no memory to spare: the next listing is given its own, or says that there is none.
  }
}
