/**
 * How a command comes into its control group. The shell that sets its limits enters by itself, through the doors of
 * the group that it was handed and closes before the command is there: that spares a program at each start. A kernel
 * before 5.16 may refuse that from inside (it asks the namespace of the writer, not of who opened the door); there a
 * shell enters before bwrap exists.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { AppError, messageOf } from '@switchyard/protocol';
import type { BubblewrapProgram } from './bubblewrap-program.ts';
import type { ControlGroup, ControlGroups } from './control-group.ts';

export type GroupEntry = 'inside' | 'outside';

/** Doors have descriptors of one digit inside, since a POSIX shell is sure to know no others: from this one on, or the next. */
export const FIRST_DOOR_FD = 5;
const doorsMax = 9 - FIRST_DOOR_FD;

/** A shell's words that enter by these descriptors and close them; empty for none. */
export function enterScript(doors: readonly number[]): string {
  if (doors.length === 0) return '';
  const enter = doors.map((door) => `echo 0 >&${door}`).join(' && ');
  return `${enter} || exit 125; exec ${doors.map((door) => `${door}>&-`).join(' ')}; `;
}

/** Opens the doors of a group to hand them over; the caller closes them. Throws E_SANDBOX. */
export function openDoors({ doors }: ControlGroup): number[] {
  const opened: number[] = [];
  try {
    for (const door of doors) opened.push(openSync(door, constants.O_WRONLY));
    return opened;
  } catch (cause) {
    opened.forEach((door) => closeSync(door));
    const text = `The control group of a command cannot be entered: ${messageOf(cause)}`;
    throw new AppError('E_SANDBOX', text, { cause });
  }
}

/** Tries it on this machine. Throws E_SANDBOX where no group can be made. */
export async function findGroupEntry(
  { path }: BubblewrapProgram,
  groups: ControlGroups | undefined,
): Promise<GroupEntry> {
  const group = groups?.make({ processes: 16, memoryBytes: 256 * 1024 * 1024 });
  if (group === undefined || group.doors.length > doorsMax) return 'outside';
  try {
    return isLetIn(path, group) ? 'inside' : 'outside';
  } finally {
    await group.remove();
  }
}

function isLetIn(bwrap: string, group: ControlGroup): boolean {
  const doors = openDoors(group);
  try {
    const options = ['--unshare-user', '--unshare-all', '--cap-drop', 'ALL', '--ro-bind', '/', '/'];
    const inside = doors.map((_, index) => FIRST_DOOR_FD + index);
    const command = ['/bin/sh', '-c', `${enterScript(inside)}exit 0`];
    const { status } = spawnSync(bwrap, [...options, '--', ...command], {
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', ...doors],
      timeout: 10_000,
    });
    return status === 0;
  } finally {
    doors.forEach((door) => closeSync(door));
  }
}
