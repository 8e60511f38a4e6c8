import { appendFileSync, watch, type FSWatcher } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { slugOf, type LogFilter, type PeerId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { LogSource } from './ports.ts';

/** How much of the end of each file is looked at for `tail`. */
const tailBytes = 2 * 1024 * 1024;
/** Larger lines are not logs. */
const lineBytesMax = 16_384;

const levels: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
};

interface LogFields {
  readonly level?: number;
  readonly time?: string | number;
  readonly run?: string;
  readonly task?: string;
  readonly worker?: string;
  readonly daemon?: string;
}

/** Whether one log line passes a filter; a line that is no JSON passes only an empty one. */
export function passes(line: string, filter: LogFilter): boolean {
  const fields = fieldsOf(line);
  if (fields === undefined) return Object.values(filter).every((value) => value === undefined);
  if (filter.level !== undefined && (fields.level ?? 0) < (levels[filter.level] ?? 0)) return false;
  if (filter.run !== undefined && fields.run !== filter.run) return false;
  if (filter.taskId !== undefined && fields.task !== filter.taskId) return false;
  return filter.worker === undefined || fields.worker === filter.worker || fields.daemon === filter.worker;
}

function fieldsOf(line: string): LogFields | undefined {
  try {
    return JSON.parse(line) as LogFields;
  } catch {
    return undefined; // cut off by rotation or by a crash of its writer
  }
}

/** The logs folder of the state folder: every daemon of this machine writes there, remote lines are added. */
export class LogFiles implements LogSource {
  private readonly folder: string;
  private readonly logger: Logger;

  constructor(folder: string, logger: Logger) {
    this.folder = folder;
    this.logger = logger;
  }

  async tail(filter: LogFilter, lines: number): Promise<readonly { daemon: string; line: string }[]> {
    const found: { daemon: string; line: string; time: string }[] = [];
    for (const name of await this.names()) {
      const text = await readEnd(join(this.folder, name), tailBytes);
      for (const line of text.split('\n')) {
        if (line !== '' && line.length <= lineBytesMax && passes(line, filter)) {
          found.push({ daemon: daemonOf(name), line, time: String(fieldsOf(line)?.time ?? '') });
        }
      }
    }
    found.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    return found.slice(-lines || found.length).map(({ daemon, line }) => ({ daemon, line }));
  }

  follow(filter: LogFilter, onLine: (daemon: string, line: string) => void): () => void {
    const follower = new Follower(this.folder, (name, line) => {
      if (passes(line, filter)) onLine(daemonOf(name), line);
    });
    follower.start().catch((error: unknown) => this.logger.error({ err: error }, 'logs cannot be followed'));
    return () => follower.close();
  }

  receive(_peer: PeerId, daemon: string, line: string): void {
    try {
      appendFileSync(
        join(this.folder, `${slugOf(daemon)}.remote.ndjson`),
        `${line.replaceAll('\n', ' ')}\n`,
        { mode: 0o600 },
      );
    } catch (error) {
      this.logger.warn({ err: error, daemon }, 'a remote log line could not be kept');
    }
  }

  private async names(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => name.endsWith('.ndjson')).sort();
  }
}

function daemonOf(fileName: string): string {
  return fileName.replace(/(\.\d+)?(\.remote)?\.ndjson$/, '').replace(/\.\d+$/, '');
}

async function readEnd(file: string, bytes: number): Promise<string> {
  const { size } = await stat(file);
  return readFrom(file, Math.max(0, size - bytes));
}

async function readFrom(file: string, offset: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, Math.min(size - offset, tailBytes)));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** Reads what is added to the files of a folder, as the kernel says that something was. */
class Follower {
  private readonly offsets = new Map<string, number>();
  private readonly folder: string;
  private readonly onLine: (name: string, line: string) => void;
  private watcher: FSWatcher | undefined;
  private reading: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(folder: string, onLine: (name: string, line: string) => void) {
    this.folder = folder;
    this.onLine = onLine;
  }

  async start(): Promise<void> {
    for (const name of await readdir(this.folder))
      this.offsets.set(name, (await stat(join(this.folder, name))).size);
    if (this.closed) return;
    this.watcher = watch(this.folder, (_event, name) => {
      if (name === null || !name.endsWith('.ndjson')) return;
      this.reading = this.reading.then(() => this.read(name)).catch(() => undefined); // rotated away meanwhile
    });
  }

  close(): void {
    this.closed = true;
    this.watcher?.close();
  }

  private async read(name: string): Promise<void> {
    const offset = this.offsets.get(name) ?? 0;
    const text = await readFrom(join(this.folder, name), offset);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.offsets.set(name, offset + Buffer.byteLength(whole));
    for (const line of whole.split('\n'))
      if (line !== '' && !this.closed) this.onLine(name, line.slice(0, lineBytesMax));
  }
}
