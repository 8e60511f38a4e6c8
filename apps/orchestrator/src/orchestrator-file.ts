import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { processStart, unwritableState } from '@switchyard/runtime';

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
  /** It is ending: whoever comes now finds what it asks for, but nobody who works on it. */
  readonly draining?: true;
  /** It was started for one look or order: nobody who works comes to it. */
  readonly looking?: true;
}

/** Writes it whole, or not at all. Throws AppError E_STORAGE, E_DISK_FULL. */
export function announce(file: string, content: Omit<OrchestratorFile, 'pid' | 'startedTicks'>): void {
  const whole: OrchestratorFile = {
    pid: process.pid,
    startedTicks: processStart(process.pid) ?? 0,
    ...content,
  };
  const temporary = `${file}.new`;
  try {
    writeFileSync(temporary, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw unwritableState(dirname(file), cause);
  }
}

/** Says that this process ends; nothing, where the file speaks of another, which has taken over. */
export function announceEnd(file: string, content: Omit<OrchestratorFile, 'pid' | 'startedTicks'>): void {
  if (isOurs(file)) announce(file, { ...content, draining: true });
}

/** Takes the file away, unless it speaks of another process. */
export function withdraw(file: string): void {
  if (isOurs(file)) rmSync(file, { force: true });
}

function isOurs(file: string): boolean {
  try {
    const { pid, startedTicks } = JSON.parse(readFileSync(file, 'utf8')) as Partial<OrchestratorFile>;
    return pid === process.pid && startedTicks === (processStart(process.pid) ?? 0);
  } catch {
    return false; // gone, or half a file: it speaks of nobody
  }
}
