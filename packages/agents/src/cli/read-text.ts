import type { OutputReader } from './reader.ts';

/** Plain words: all of it is output, and the exit code alone says how it went. */
export function readText(): OutputReader {
  return { saysItsEnd: false, read: (text) => [{ kind: 'output', text }], result: () => undefined };
}
