import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line of a daemon's log. */
export interface LogRecord {
  readonly daemon: string;
  readonly msg: string;
  readonly run?: string;
  readonly task?: string;
  readonly attempt?: number;
  readonly [field: string]: unknown;
}

/** What all lives of a daemon have logged so far; a line that is not whole yet is left out. */
export function readLog(state: string, daemon: string): LogRecord[] {
  const folder = join(state, 'logs');
  if (state === '' || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${daemon}.`))
    .toSorted()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as LogRecord);
}
