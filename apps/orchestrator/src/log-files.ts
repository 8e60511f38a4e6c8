import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogFilter, PeerId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { LogFollower } from './log-follower.ts';
import { daemonOf, lineCharactersMax, passing } from './log-lines.ts';
import { readLines, type LogPlace } from './log-reader.ts';
import type { LogLine, LogRequest, LogSource } from './ports.ts';
import { RemoteLogs } from './remote-logs.ts';

/** How much of the end of each file is looked at for `tail`; without one, enough to find where its last line ends. */
const tailBytes = 2 * 1024 * 1024;
const lastLineBytes = 64 * 1024;
/** What one answer holds at most; the newest lines stay. */
const answerCharactersMax = 4 * 1024 * 1024;

/** The logs folder of the state folder: every daemon of this machine writes there, remote lines are added. */
export class LogFiles implements LogSource {
  private readonly folder: string;
  private readonly logger: Logger;
  private readonly remote: RemoteLogs;

  constructor(folder: string, logger: Logger) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.folder = folder;
    this.logger = logger;
    this.remote = new RemoteLogs(folder, logger);
  }

  async open({
    filter,
    tail,
    onLine,
  }: LogRequest): Promise<{ lines: readonly LogLine[]; close: () => void }> {
    const tails = new Tails(filter, tail);
    const known: LogPlace[] = [];
    for (const name of await this.names()) {
      const place = await tails.read(this.folder, name);
      if (place !== undefined) known.push(place);
    }
    if (onLine === undefined) return { lines: tails.newest(), close: () => undefined };
    const follower = new LogFollower({
      folder: this.folder,
      known,
      logger: this.logger,
      onLine: (name, line) => {
        if (line.length <= lineCharactersMax && passing(line, filter) !== undefined)
          onLine({ daemon: daemonOf(name), line });
      },
    });
    // What was added after the files were read and before they were watched.
    for (const name of await this.names()) follower.look(name);
    return { lines: tails.newest(), close: () => follower.close() };
  }

  receive(peer: PeerId, line: string): void {
    this.remote.add(peer, line);
  }

  private async names(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => name.endsWith('.ndjson')).toSorted();
  }
}

/** The last lines of several files, in the order of their times. */
class Tails {
  private readonly found: (LogLine & { readonly time: string })[] = [];
  private readonly filter: LogFilter;
  private readonly count: number;

  constructor(filter: LogFilter, count: number) {
    this.filter = filter;
    this.count = count;
  }

  /** Reads the end of one file; the answer is where its lines end. */
  async read(folder: string, name: string): Promise<LogPlace | undefined> {
    const daemon = daemonOf(name);
    const bytes = this.count === 0 ? lastLineBytes : tailBytes;
    let isCut = false;
    return readLines(join(folder, name), {
      from: ({ size }) => {
        isCut = size > bytes;
        return Math.max(0, size - bytes);
      },
      onLine: (line) => {
        const isWhole = !isCut;
        isCut = false;
        if (!isWhole || this.count === 0 || line.length > lineCharactersMax) return;
        const passed = passing(line, this.filter);
        if (passed !== undefined) this.found.push({ daemon, line, time: passed.time });
      },
    });
  }

  newest(): LogLine[] {
    const sorted = this.found.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    const newest: LogLine[] = [];
    let characters = 0;
    for (const { daemon, line } of sorted.slice(-this.count || sorted.length).toReversed()) {
      characters += line.length;
      if (characters > answerCharactersMax) break;
      newest.push({ daemon, line });
    }
    return newest.toReversed();
  }
}
