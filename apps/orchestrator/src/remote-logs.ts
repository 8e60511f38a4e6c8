import { appendFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { slugOf, type PeerId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';

/** A file of this size is put aside as `.1`; the one before it goes. */
const fileBytesMax = 10 * 1024 * 1024;
/** Lines of one peer that wait for the disk; more are dropped, and the log says so. */
const waitingMax = 2_000;

interface RemoteLog {
  waiting: string[];
  dropped: number;
  writing: boolean;
}

/** Keeps the lines of peers on other machines, in a file for each, without making anybody wait. */
export class RemoteLogs {
  private readonly logs = new Map<PeerId, RemoteLog>();
  private readonly folder: string;
  private readonly logger: Logger;

  constructor(folder: string, logger: Logger) {
    this.folder = folder;
    this.logger = logger;
  }

  add(peer: PeerId, line: string): void {
    const log = this.logs.get(peer) ?? { waiting: [], dropped: 0, writing: false };
    this.logs.set(peer, log);
    if (log.waiting.length >= waitingMax) {
      log.dropped += 1;
      return;
    }
    log.waiting.push(`${line.replaceAll('\n', ' ')}\n`);
    if (!log.writing) void this.write(peer, log);
  }

  private async write(peer: PeerId, log: RemoteLog): Promise<void> {
    log.writing = true;
    const file = join(this.folder, `${slugOf(peer)}.remote.ndjson`);
    while (log.waiting.length > 0) {
      const text = log.waiting.join('');
      log.waiting = [];
      try {
        await this.makeRoom(file);
        await appendFile(file, text, { mode: 0o600 });
      } catch (error) {
        this.logger.warn({ err: error, worker: peer }, 'remote log lines could not be kept');
      }
      if (log.dropped > 0) {
        this.logger.warn({ worker: peer, dropped: log.dropped }, 'remote log lines came too fast');
        log.dropped = 0;
      }
    }
    log.writing = false;
  }

  private async makeRoom(file: string): Promise<void> {
    const found = await stat(file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // none yet
      throw error;
    });
    if (found !== undefined && found.size >= fileBytesMax)
      await rename(file, file.replace(/\.ndjson$/, '.1.ndjson'));
  }
}
