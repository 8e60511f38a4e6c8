/// <reference path="./pino-roll.d.ts" />
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import type openRoll from 'pino-roll';

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

/** Paths whose values never reach a log. */
const redact = [
  'token',
  '*.token',
  'authorization',
  '*.authorization',
  'headers.authorization',
  '*.headers.authorization',
  'password',
  '*.password',
  'apiKey',
  '*.apiKey',
  'secret',
  '*.secret',
];

/** Opens a daemon's log: JSON lines on standard output and in a rotated file (10 MB, five kept). */
export async function openLog(options: LogOptions): Promise<Log> {
  const streams: { stream: { write(line: string): void } }[] = [];
  let file: RolledFile | undefined;
  if (options.folder !== undefined) {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    // Hundreds of files that a program without a log file need not read.
    const { default: buildRoll } = await import('pino-roll');
    file = await buildRoll({
      // Numbered by rotation: <daemon>.1.ndjson, .2.ndjson …
      file: join(options.folder, `${options.daemon}.ndjson`),
      size: '10m',
      limit: { count: 5, removeOtherLogFiles: true },
      symlink: false,
      mkdir: true,
    });
    streams.push({ stream: file });
  }
  if (options.stdout) streams.push({ stream: process.stdout });
  if (options.tap !== undefined) streams.push({ stream: { write: options.tap } });
  const logger = pino(
    {
      level: options.level,
      base: { daemon: options.daemon, pid: process.pid },
      redact,
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.multistream(streams.map((entry) => ({ ...entry, level: 'trace' as const }))),
  );
  return { logger, close: () => closeFile(file) };
}

type RolledFile = Awaited<ReturnType<typeof openRoll>>;

function closeFile(file: RolledFile | undefined): Promise<void> {
  if (file === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    file.once('close', resolve);
    file.end();
  });
}

/** A logger that says nothing, for tests and one-shot commands. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
