import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { LogFile } from './log-file.ts';
import { unwritableState } from './state-folder.ts';
import { TurnLines, type LineSink } from './turn-lines.ts';

export type { Logger };

export interface LogOptions {
  /** `orchestrator`, or the peer's id: names the file and stands in every line. */
  readonly daemon: string;
  readonly level: string;
  /** Folder of `<daemon>.ndjson`; absent: standard output only. */
  readonly folder?: string | undefined;
  /** Whether lines go to standard output. */
  readonly stdout: boolean;
  /** Called with every line, for the bulk lane. */
  readonly tap?: (line: string) => void;
}

export interface Log {
  readonly logger: Logger;
  /** Writes out what is buffered and closes the file. */
  close(): Promise<void>;
}

/** Fields whose values never reach a log, on a line or up to two objects further in. */
const secretNames: ReadonlySet<string> = new Set(['token', 'authorization', 'password', 'apiKey', 'secret']);
const secretDepth = 2;

/**
 * The fields, or a copy without the values of secret ones. Not pino's own `redact`: it makes a copy of every line, for
 * two fifths of what a line costs (profile of `npm run bench -- loop`), and hardly a line has something to hide.
 */
function withoutSecrets(fields: object, depth = secretDepth): Record<string, unknown> {
  const given = fields as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(given)) {
    const value = given[key];
    const shown = secretNames.has(key) ? '[Redacted]' : shownValue(key, value, depth);
    if (shown !== value) (copy ??= { ...given })[key] = shown;
  }
  return copy ?? given;
}

function shownValue(key: string, value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // pino makes fields of it first; then `errorFields` looks at them.
  if (key === 'err' && value instanceof Error) return value;
  return withoutSecrets(value, depth - 1);
}

function errorFields(error: unknown): unknown {
  const fields: unknown = error instanceof Error ? pino.stdSerializers.err(error) : error;
  return shownValue('', fields, secretDepth);
}

/**
 * Opens a daemon's log: JSON lines on standard output and in a rotated file (10 MB, five kept). Rejects with AppError
 * E_DISK_FULL, E_STORAGE where the file cannot be opened; one that cannot be written later ends nobody.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const sinks: LineSink[] = [];
  let file: LogFile | undefined;
  if (options.folder !== undefined) {
    file = await openFile(options.folder, options.daemon, (missingLines) =>
      logger.warn({ missingLines }, 'the log file is written again'),
    );
    sinks.push(file);
  }
  if (options.stdout) {
    // Nobody reads it any more: no reason for a daemon to end in the middle of its work. The file has every line.
    process.stdout.on('error', () => undefined);
    sinks.push(process.stdout);
  }
  const lines = new TurnLines(sinks, options.tap);
  const logger = pino(
    {
      level: options.level,
      base: { daemon: options.daemon, pid: process.pid },
      formatters: { log: withoutSecrets },
      serializers: { err: errorFields },
      timestamp: isoTime,
    },
    lines,
  );
  const plain = Object.getPrototypeOf(logger) as Logger;
  // pino formats lines, but not what a child adds to each of its own; children of children have this `child`, too.
  logger.child = function (this: Logger, bindings: object, childOptions?: object) {
    return plain.child.call(this, withoutSecrets(bindings), childOptions);
  } as Logger['child'];
  return {
    logger,
    close: async () => {
      lines.close();
      await file?.close();
    },
  };
}

async function openFile(
  folder: string,
  daemon: string,
  onRecovered: (missingLines: number) => void,
): Promise<LogFile> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return await LogFile.open({ path: join(folder, `${daemon}.ndjson`), onRecovered });
  } catch (cause) {
    throw unwritableState(folder, cause);
  }
}

let stampedAt = Number.NaN;
let stamp = '';

/** pino's own `isoTime`, written once for all lines of a millisecond. */
function isoTime(): string {
  const now = Date.now();
  if (now !== stampedAt) {
    stampedAt = now;
    stamp = `,"time":"${new Date(now).toISOString()}"`;
  }
  return stamp;
}

/** A logger that says nothing, for tests and one-shot commands. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
