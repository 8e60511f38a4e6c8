/** How the write-ahead log of a SQLite file ends. */
export interface WalEnd {
  /** Commits that are whole. */
  readonly commits: number;
  /** Bytes behind the last of them that belong to a commit that is not whole. */
  readonly tornBytes: number;
}

const headBytes = 32;
const frameHeadBytes = 24;

/**
 * Reads a write-ahead log as SQLite does at an open (https://sqlite.org/fileformat2.html#the_write_ahead_log): frames
 * count as long as their salts are the log's and their checksums, which run on from frame to frame, are right. What an
 * earlier round of the log has left behind its end has other salts, and is not torn.
 */
export function walEnd(log: Buffer): WalEnd {
  if (log.length < headBytes) return { commits: 0, tornBytes: log.length };
  // Room that was laid out for a log which has not begun.
  if (log.readUInt32BE(0) === 0) return { commits: 0, tornBytes: 0 };
  const isBigEndian = (log.readUInt32BE(0) & 1) === 1;
  const frameBytes = frameHeadBytes + log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  let sum = checksum(log.subarray(0, 24), [0, 0], isBigEndian);
  if (!isSum(log, 24, sum)) return { commits: 0, tornBytes: log.length };
  let commits = 0;
  let committed = headBytes;
  let at = headBytes;
  for (; at + frameBytes <= log.length && hasSalts(log, at, salts); at += frameBytes) {
    sum = checksum(log.subarray(at, at + 8), sum, isBigEndian);
    sum = checksum(log.subarray(at + frameHeadBytes, at + frameBytes), sum, isBigEndian);
    if (!isSum(log, at + 16, sum)) break;
    if (log.readUInt32BE(at + 4) === 0) continue;
    commits += 1;
    committed = at + frameBytes;
  }
  let end = at;
  while (end < log.length && hasSalts(log, end, salts)) end += frameBytes;
  return { commits, tornBytes: Math.min(end, log.length) - committed };
}

/** Whether a frame is of this round of the log; one that is cut within its head is taken for one. */
function hasSalts(log: Buffer, at: number, salts: Buffer): boolean {
  return at + 16 > log.length || log.subarray(at + 8, at + 16).equals(salts);
}

type Sum = readonly [number, number];

function checksum(bytes: Buffer, [first, second]: Sum, isBigEndian: boolean): Sum {
  let [one, two] = [first, second];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    one = (one + wordOf(bytes, at, isBigEndian) + two) >>> 0;
    two = (two + wordOf(bytes, at + 4, isBigEndian) + one) >>> 0;
  }
  return [one, two];
}

function wordOf(bytes: Buffer, at: number, isBigEndian: boolean): number {
  return isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
}

function isSum(log: Buffer, at: number, [one, two]: Sum): boolean {
  return log.readUInt32BE(at) === one && log.readUInt32BE(at + 4) === two;
}
