/**
 * Nothing limits how much a command writes in all: many small files are as much as a large one. What else lives on the
 * disk, the journal first of all, must not end for it.
 */
import { statfsSync, statSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import type { SandboxMount } from './sandbox-request.ts';

const pollMs = 200;
/** What is left to others; of a disk that is nearly full already, a quarter of what a command finds. */
const reserved = { bytes: 256 * 1024 * 1024, files: 10_000 } as const;

interface Room {
  readonly bytes: number;
  /** Files that can still be made; without end where the file system does not count them. */
  readonly files: number;
}

export interface DiskWatch {
  readonly mounts: readonly SandboxMount[];
  readonly clock: Clock;
  /** Called once, when a disk that can be written to runs full. */
  readonly full: (error: AppError) => void;
}

/** Watches the disks that a command can write to. The answer stops the watch. */
export function watchDisks({ mounts, clock, full }: DiskWatch): () => void {
  let cancel = (): void => undefined;
  const disks = disksOf(mounts).map((folder) => ({ folder, least: leastOf(roomIn(folder)) }));
  const look = (): void => {
    for (const { folder, least } of disks) {
      const room = roomIn(folder);
      if (room.bytes >= least.bytes && room.files >= least.files) continue;
      const left =
        room.bytes < least.bytes ? `${Math.floor(room.bytes / 1024 / 1024)} MiB` : `${room.files} files`;
      full(
        new AppError(
          'E_DISK_FULL',
          `a command was ended, since the disk that it writes to has only ${left} left`,
        ),
      );
      return;
    }
    cancel = clock.after(pollMs, look);
  };
  if (disks.length > 0) cancel = clock.after(pollMs, look);
  return () => cancel();
}

function leastOf({ bytes, files }: Room): Room {
  return { bytes: Math.min(reserved.bytes, bytes / 4), files: Math.min(reserved.files, files / 4) };
}

/** One writable folder of each disk. */
function disksOf(mounts: readonly SandboxMount[]): string[] {
  const disks = new Map<number, string>();
  for (const mount of mounts) {
    if ((mount.kind !== 'write' && mount.kind !== 'scratch') || mount.source === undefined) continue;
    const stat = statSync(mount.source, { throwIfNoEntry: false });
    if (stat !== undefined && !disks.has(stat.dev)) disks.set(stat.dev, mount.source);
  }
  return [...disks.values()];
}

function roomIn(folder: string): Room {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    return { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree };
  } catch {
    return { bytes: Infinity, files: Infinity }; // moved away by the command: its other folders are on that disk, too
  }
}
