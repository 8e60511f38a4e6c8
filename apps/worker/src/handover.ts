import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, handover, messageOf, type Handover } from '@switchyard/protocol';
import { z } from 'zod';

/** What stands in the file: follow-ups as they are, not as texts. */
const written = handover.omit({ plan: true }).extend({
  followUps: z.array(z.record(z.string(), z.unknown())).max(20).default([]),
});
const bytesMax = 1024 * 1024;
const faultsShown = 10;

/** Where an attempt writes what those who depend on it shall know. */
export function handoverFile(output: string): string {
  return join(output, 'handover.json');
}

/**
 * What an attempt left for those who depend on it; undefined: nothing. Call it when nothing of the attempt runs any more.
 * Throws AppError E_HANDOVER_INVALID that names each fault.
 */
export function readHandover(output: string): Handover | undefined {
  const file = handoverFile(output);
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isFile() && stat.size === 0)) return undefined;
  if (!stat.isFile()) throw invalid(['it is no plain file']);
  if (stat.size > bytesMax) throw invalid([`it has ${stat.size} bytes, over ${bytesMax}`]);
  const { data, error } = written.safeParse(jsonOf(readFileSync(file, 'utf8')));
  if (data !== undefined) return { ...data, followUps: data.followUps.map((task) => JSON.stringify(task)) };
  throw invalid(
    error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the whole'}: ${message}`),
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid([`it is no JSON: ${messageOf(cause)}`]);
  }
}

function invalid(faults: readonly string[]): AppError {
  const more = faults.length > faultsShown ? `; and ${faults.length - faultsShown} more` : '';
  return new AppError(
    'E_HANDOVER_INVALID',
    `the file of SWITCHYARD_HANDOVER cannot be used: ${faults.slice(0, faultsShown).join('; ')}${more}`.slice(
      0,
      4000,
    ),
  );
}
