import { closeSync, fstatSync, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** As large as SQLite lets its log grow before it begins to write over it: 1,000 pages. */
const roomBytes = 4 * 1024 * 1024;
/** With less left on the disk, none of it is taken for room. */
const leastFreeBytes = 256 * 1024 * 1024;
const zeros = Buffer.alloc(256 * 1024);

/**
 * Lays out a write-ahead log with zeros, so that commits write over blocks that are there. The sync of a file that grows
 * has the file system write its own journal too, which waits for everything else that grows on that disk, such as the
 * outboxes of workers: twice the time on an idle disk, ten times on a busy one.
 *
 * SQLite ends its reading at the first frame that has not the log's salts, so zeros are to it what an earlier round has
 * left behind. The caller holds the write lock: nobody else writes to the log meanwhile. The sync of its commit covers
 * the zeros. Answers whether there is room now; throws what the file system says, with the log as it was.
 */
export function makeLogRoom(journalFile: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(journalFile));
  if (bavail * bsize < leastFreeBytes) return false;
  const fd = openSync(`${journalFile}-wal`, 'r+');
  try {
    const { size } = fstatSync(fd);
    try {
      let at = size;
      while (at < roomBytes) at += writeSync(fd, zeros, 0, Math.min(zeros.length, roomBytes - at), at);
    } catch (error) {
      ftruncateSync(fd, size);
      throw error;
    }
  } finally {
    closeSync(fd);
  }
  return true;
}
