// The end of a folder that daemons worked in: first they have gone, then it goes.
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { capture } from './child.mjs';

const pollMs = 100;
/** Node's own retries wait that much longer each time: 8.5 s in all. */
const retries = { maxRetries: 16, retryDelay: 62 };

/**
 * Ends the daemons whose state lies in `folder`, and waits for them and for what else names the folder; whether all
 * have gone. `asked`: how long they have after SIGTERM, more than a drain takes; `killed`: how long after SIGKILL.
 */
export async function endDaemonsOf(folder, { askedMs = 6_000, killedMs = 3_000 } = {}) {
  const isGone = () => usersOf(folder).length === 0;
  if (isGone()) return true;
  signal(daemonsOf(folder), 'SIGTERM');
  if (await until(isGone, askedMs)) return true;
  signal(daemonsOf(folder), 'SIGKILL');
  return until(isGone, killedMs);
}

/** Removes files and folders, also where something is still written in them for a moment; undefined, or one line. */
export async function removeAll(paths) {
  for (const path of paths) {
    try {
      await rm(path, { recursive: true, force: true, ...retries });
    } catch (error) {
      return `could not remove ${path} (${error.code ?? error.message}); remove it by hand`;
    }
  }
  return undefined;
}

function daemonsOf(folder) {
  return usersOf(folder).filter(({ command }) => command.includes(`--state ${folder}/`));
}

/** Processes, other than this one, whose command line names the folder. */
function usersOf(folder) {
  return processes().filter(({ pid, command }) => pid !== process.pid && command.includes(`${folder}/`));
}

function processes() {
  if (process.platform === 'linux')
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => ({ pid: Number(name), command: commandOf(name) }));
  const { stdout } = capture('ps', ['-axo', 'pid=,args=']);
  return stdout.split('\n').map((line) => {
    const [, pid = '0', command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), command };
  });
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended meanwhile
  }
}

function signal(found, name) {
  for (const { pid } of found)
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
}

async function until(isSo, timeoutMs) {
  const end = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}
