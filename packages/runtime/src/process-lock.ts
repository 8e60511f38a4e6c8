import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Who holds a lock file: a process and when it began, since numbers are reused. */
export interface LockHolder {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat (clock ticks since boot) where there is one, else 0. */
  readonly startedTicks: number;
}

export type LockResult =
  { readonly kind: 'held'; release(): void } | { readonly kind: 'taken'; readonly holder: LockHolder };

/** When a process began, in ticks since boot; undefined when there is no such process; 0 where unknown. */
export function processStart(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not looked.
    return state === 'Z' || state === 'X' ? undefined : Number(fields[18]);
  } catch {
    // No /proc entry: gone on Linux; elsewhere a signal 0 tells.
  }
  if (process.platform === 'linux') return undefined;
  try {
    process.kill(pid, 0);
    return 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 0 : undefined;
  }
}

/** Takes a lock file for the life of this process; a holder that is gone loses it. */
export function acquireLock(file: string): LockResult {
  const self: LockHolder = { pid: process.pid, startedTicks: processStart(process.pid) ?? 0 };
  for (;;) {
    if (createWhole(file, JSON.stringify(self)))
      return { kind: 'held', release: () => releaseLock(file, self) };
    const holder = readHolder(file);
    if (holder !== undefined && isAlive(holder)) return { kind: 'taken', holder };
    removeStale(file, holder);
  }
}

/** Who holds a lock file, for those who only look; undefined: nobody ever took it, or nobody knows who. */
export function lockHolder(file: string): (LockHolder & { readonly isAlive: boolean }) | undefined {
  const holder = readHolder(file);
  return holder && { ...holder, isAlive: isAlive(holder) };
}

/**
 * Links a finished file into place, so that nobody ever sees it half written; false when one is there already. What a
 * full disk cut short does not stay.
 */
function createWhole(file: string, text: string): boolean {
  const temporary = `${file}.new-${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Whether it is that process still, and no other by its number. */
export function isAlive(holder: LockHolder): boolean {
  const started = processStart(holder.pid);
  return (
    started !== undefined && (started === holder.startedTicks || started === 0 || holder.startedTicks === 0)
  );
}

function readHolder(file: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LockHolder;
  } catch {
    // Gone meanwhile, or damaged: nobody holds it.
    return undefined;
  }
}

/** Renames first, so that of two processes that see the same stale file only one removes it. */
function removeStale(file: string, seen: LockHolder | undefined): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && moved.pid !== seen?.pid && isAlive(moved)) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

function releaseLock(file: string, self: LockHolder): void {
  if (readHolder(file)?.pid === self.pid) rmSync(file, { force: true });
}
