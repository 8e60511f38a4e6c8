// Temporary files of the tests in memory: they make tens of thousands of small ones, and on many virtual disks a new
// file takes a millisecond. A private mount on /tmp needs root on Linux and goes with the last process that sees it;
// elsewhere the tests run on the disk.
import { readFileSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { capture } from './child.mjs';

/** Bytes. The tests need far less at a time, but a machine must not come near its end by them. */
const availableMin = 8 * 1024 ** 3;

const unshare = ['unshare', '--mount', '--propagation', 'private'];
const script = 'mount -t tmpfs -o size=50%,mode=1777 switchyard-tests /tmp && exec "$@"';
const wrapped = (command) => [...unshare, 'sh', '-c', script, 'sh', ...command];

/**
 * The words that run a command so; the command itself where that cannot be, where TMPDIR names another place, or where
 * something that it needs lies below /tmp and would be hidden. `root`: the checkout.
 */
export function withTempInMemory(command, root, machine = thisMachine) {
  const needed = [root, process.execPath, homedir(), ...cacheFolders()];
  const isHidden = needed.some((place) => `${realOf(place)}/`.startsWith('/tmp/'));
  const { tmp, availableBytes, canMount } = machine;
  return tmp() === '/tmp' && !isHidden && availableBytes() >= availableMin && canMount()
    ? wrapped(command)
    : command;
}

const thisMachine = {
  tmp: tmpdir,
  canMount: () => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
    const [program, ...words] = wrapped(['true']);
    return capture(program, words).code === 0;
  },
  availableBytes: () => {
    if (process.platform !== 'linux') return 0;
    const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  },
};

function cacheFolders() {
  const { XDG_CACHE_HOME, npm_config_cache } = process.env;
  return [XDG_CACHE_HOME, npm_config_cache].filter((place) => place !== undefined && place !== '');
}

function realOf(place) {
  try {
    return realpathSync(place);
  } catch {
    return place; // not there yet
  }
}
