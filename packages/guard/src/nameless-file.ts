/** A file that has no name and never will have one: gone with the last descriptor of it. */
import { constants, fstatSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** As Linux has them; not in `fs.constants`. With O_EXCL, nobody can give the file a name later. */
const O_TMPFILE = 0o20200000;
const flags = O_TMPFILE | constants.O_RDWR | constants.O_EXCL;

/** Undefined where the system has none: an old kernel, a file system that cannot. Whoever asks closes it. */
export function openNameless(): number | undefined {
  try {
    return openSync(tmpdir(), flags, 0o600);
  } catch {
    return undefined;
  }
}

/** What files hold, one behind the other. */
export function readFiles(descriptors: readonly number[]): Buffer {
  const sizes = descriptors.map((descriptor) => fstatSync(descriptor).size);
  const content = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, 0));
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
