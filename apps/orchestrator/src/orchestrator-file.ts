import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { processStart } from '@switchyard/runtime';

/** How daemons and the CLI of this machine find the orchestrator; only its owner can read it. */
export interface OrchestratorFile {
  readonly pid: number;
  readonly startedTicks: number;
  readonly url: string;
  readonly httpUrl: string;
  readonly fingerprint?: string | undefined;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Writes it whole; the answer removes it again. */
export function announce(file: string, content: Omit<OrchestratorFile, 'pid' | 'startedTicks'>): () => void {
  const whole: OrchestratorFile = {
    pid: process.pid,
    startedTicks: processStart(process.pid) ?? 0,
    ...content,
  };
  const temporary = `${file}.new`;
  const fd = openSync(temporary, 'w', 0o600);
  writeSync(fd, `${JSON.stringify(whole, null, 2)}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, file);
  return () => rmSync(file, { force: true });
}
