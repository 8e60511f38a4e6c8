import { crc32 } from 'node:zlib';
import type { EncodedFact } from './group-commit.ts';

/** CRC-32 (zlib) over the columns of a fact in a row of its own, quoted: text that moves from one to the next changes it. */
export function factChecksum(seq: number, fact: EncodedFact): number {
  return crc32(JSON.stringify([seq, fact.stream, fact.at, fact.kind, fact.version, fact.data]));
}

/** The same of a row of many facts; its data, the most of it, is not quoted once more. */
export function batchChecksum(
  { first, last, stream, at }: { first: number; last: number; stream: string; at: number },
  data: string,
): number {
  return crc32(data, crc32(JSON.stringify([first, last, stream, at])));
}

/** CRC-32 over named columns and a blob beside them. */
export function blobChecksum(columns: readonly (string | number)[], blob: Uint8Array): number {
  return crc32(blob, crc32(JSON.stringify(columns)));
}
