import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { findRepository } from '@switchyard/access';
import { attemptFolder } from '@switchyard/peer';
import type { AttemptReport } from '@switchyard/protocol';
import type { McpConfig } from './config.ts';

/** The end of one transcript that is shown. */
const tailBytes = 512 * 1024;

/** What an agent said and did in one attempt. */
export interface AttemptTranscript {
  readonly attempt: number;
  /** JSON lines. */
  readonly events: readonly string[];
  /** The beginning is left out. */
  readonly truncated: boolean;
}

/** What workers of this machine kept of the agents of a task; commands leave none, and other machines keep their own. */
export async function transcriptsOf(
  config: McpConfig,
  { run, taskId }: Pick<Parameters<typeof attemptFolder>[0], 'run' | 'taskId'>,
  attempts: readonly AttemptReport[],
): Promise<AttemptTranscript[]> {
  if ((config.hub ?? config.environment.hub) !== undefined) return [];
  const { peers } = (await findRepository(config, config)).folder;
  const workers = existsSync(peers) ? readdirSync(peers) : [];
  return attempts.flatMap(({ attempt, fence }) => {
    const name = `${attemptFolder({ run, taskId, fence })}.ndjson`;
    const files = workers.map((worker) => join(peers, worker, 'transcripts', name));
    return files.filter((file) => existsSync(file)).map((file) => ({ attempt, ...tailOf(file) }));
  });
}

function tailOf(file: string): Omit<AttemptTranscript, 'attempt'> {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - tailBytes);
    const bytes = Buffer.alloc(size - start);
    const read = readSync(descriptor, bytes, 0, bytes.length, start);
    const lines = bytes.subarray(0, read).toString('utf8').trimEnd().split('\n');
    // The first line is not whole where the beginning is left out.
    return { events: start > 0 ? lines.slice(1) : lines, truncated: start > 0 };
  } finally {
    closeSync(descriptor);
  }
}
