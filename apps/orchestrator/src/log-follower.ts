import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@switchyard/runtime';
import { readLines, type LogPlace } from './log-reader.ts';

interface FollowerOptions {
  readonly folder: string;
  /** Files that are there already, each with where to go on; others are read from their beginning. */
  readonly known: readonly LogPlace[];
  readonly onLine: (fileName: string, line: string) => void;
  readonly logger: Logger;
}

/** Reads what is added to the files of a folder, as the kernel says that something was. */
export class LogFollower {
  private readonly offsets: Map<string, number>;
  private readonly options: FollowerOptions;
  private readonly changed = new Set<string>();
  private readonly watcher: FSWatcher;
  private reading = false;
  private closed = false;

  constructor(options: FollowerOptions) {
    this.options = options;
    this.offsets = new Map(options.known.map(({ identity, offset }) => [identity, offset]));
    this.watcher = watch(options.folder, (_event, name) => {
      if (name !== null) this.look(name);
    });
    this.watcher.on('error', (error) => options.logger.error({ err: error }, 'logs cannot be followed'));
  }

  /** Something may have been added to a file. */
  look(name: string): void {
    if (!name.endsWith('.ndjson')) return;
    this.changed.add(name);
    if (!this.reading) void this.read();
  }

  close(): void {
    this.closed = true;
    this.watcher.close();
  }

  private async read(): Promise<void> {
    this.reading = true;
    for (const name of this.changed) {
      this.changed.delete(name);
      try {
        await this.readOne(name);
      } catch (error) {
        this.options.logger.warn({ err: error, file: name }, 'a log file cannot be read');
      }
      if (this.closed) break;
    }
    this.reading = false;
  }

  private async readOne(name: string): Promise<void> {
    const read = await readLines(join(this.options.folder, name), {
      from: ({ identity, size }) => {
        const offset = this.offsets.get(identity) ?? 0;
        return offset > size ? 0 : offset; // cut short: it began anew
      },
      onLine: (line) => {
        if (!this.closed) this.options.onLine(name, line);
      },
    });
    if (read !== undefined) this.offsets.set(read.identity, read.offset);
  }
}
