/**
 * Where nothing holds a command, what it starts in a session of its own is in no group of ours. Its environment still
 * has the mark that the command was given, unless it took care to lose it.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const markName = 'SWITCHYARD_COMMAND';

/** A mark for one command: what its environment has. */
export function newMark(): Readonly<Record<string, string>> {
  return { [markName]: randomBytes(12).toString('hex') };
}

/** Kills every process of this user with a mark; the answer is how many there were. Linux only: elsewhere none. */
export function killMarked(mark: Readonly<Record<string, string>>): number {
  const pids = processIds().filter((pid) => hasMark(pid, `${markName}=${mark[markName] ?? ''}\0`));
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return pids.length;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return []; // no Linux
  }
}

function hasMark(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
  } catch {
    return false; // gone, or another user's
  }
}
