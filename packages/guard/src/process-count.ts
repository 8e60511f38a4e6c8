import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Clock } from '@switchyard/runtime';
import type { ControlGroup } from './control-group.ts';

const pollMs = 200;
/** How long a command may press against its limit of processes before it counts as a fork bomb. */
const pressureMaxMs = 2000;

export interface ProcessWatch {
  readonly group: ControlGroup | undefined;
  /** Inode of the command's pid namespace, once known. */
  readonly pidNamespace: () => number | undefined;
  readonly processesMax: number;
  readonly clock: Clock;
  /** Called once, with the reason, when the command must be killed. */
  readonly exceeded: (reason: string) => void;
}

/**
 * Watches how many processes a command has: one that stands at its limit for two seconds, or that goes over it
 * where nothing but this count holds it, is a fork bomb. The answer stops the watch.
 */
export function watchProcesses(watch: ProcessWatch): () => void {
  let cancel = (): void => undefined;
  let pressedMs = 0;
  let refusedBefore = 0;
  const look = (): void => {
    const { count, refused } = countProcesses(watch);
    const isPressing = count >= watch.processesMax || refused > refusedBefore;
    refusedBefore = refused;
    pressedMs = isPressing ? pressedMs + pollMs : 0;
    if (pressedMs >= pressureMaxMs || count > watch.processesMax * 1.5) {
      watch.exceeded(`it reached the limit of ${watch.processesMax} processes and kept on making more`);
      return;
    }
    cancel = watch.clock.after(pollMs, look);
  };
  cancel = watch.clock.after(pollMs, look);
  return () => cancel();
}

function countProcesses(watch: ProcessWatch): { count: number; refused: number } {
  if (watch.group?.pressure !== undefined) return watch.group.pressure();
  const namespace = watch.pidNamespace();
  return { count: namespace === undefined ? 0 : countInNamespace(namespace), refused: 0 };
}

/** Processes of the host that live in a pid namespace; those that end meanwhile do not count. */
export function countInNamespace(namespace: number): number {
  const wanted = `pid:[${namespace}]`;
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && namespaceOf(name) === wanted).length;
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // Gone, or of another user.
    return undefined;
  }
}

/** Whether a process is gone, or only waits to be collected. */
export function isGone(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state] = stat.slice(stat.lastIndexOf(')') + 2);
    return state === 'Z' || state === 'X';
  } catch {
    return true; // no such process
  }
}
