/**
 * Programs that tests run and that are not ours, each set installed once for each user by a lock file of its own: no part
 * of the program, so not in its node_modules, and large, so not in the repository.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { acquireLock } from '@switchyard/runtime';

export type InstalledPrograms =
  | { readonly kind: 'installed'; readonly folder: string }
  /** No registry answers here, and nothing is cached: tests of these programs are skipped with this reason. */
  | { readonly kind: 'unreachable'; readonly reason: string };

/** What npm says when the registry cannot be reached; everything else is an error of ours. */
const networkWords =
  /\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b/;

export interface PinnedSet {
  /** The folder below `fixtures` with their package.json and its lock. */
  readonly fixture: string;
  /** Scripts that npm would have run, below the folder; no others are. */
  readonly scripts?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Installs what is not there yet; test files that ask at the same time wait for one another. */
export async function installPinned({
  fixture,
  scripts = [],
  env = process.env,
}: PinnedSet): Promise<InstalledPrograms> {
  const pinned = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  const lockText = readFileSync(join(pinned, 'package-lock.json'));
  const digest = createHash('sha256').update(lockText).digest('hex').slice(0, 12);
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'switchyard', 'test-agents');
  const folder = join(cache, digest);
  if (existsSync(folder)) return { kind: 'installed', folder };
  mkdirSync(cache, { recursive: true });
  const release = await lock(join(cache, `${digest}.lock`));
  try {
    if (!existsSync(folder)) await install(pinned, folder, scripts);
    return { kind: 'installed', folder };
  } catch (error) {
    const said = `${(error as { stderr?: string }).stderr ?? ''}${String(error)}`;
    const word = networkWords.exec(said)?.[0];
    if (word === undefined) throw error;
    return { kind: 'unreachable', reason: `the registry cannot be reached (${word})` };
  } finally {
    release();
  }
}

async function lock(file: string): Promise<() => void> {
  for (;;) {
    const taken = acquireLock(file);
    if (taken.kind === 'held') return () => taken.release();
    await pause(200);
  }
}

/** Made beside its place and moved there when it is whole: nobody sees half of it. */
async function install(pinned: string, folder: string, scripts: readonly string[]): Promise<void> {
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part);
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(join(pinned, name), join(part, name));
  const run = promisify(execFile);
  const options = { cwd: part, maxBuffer: 16 * 1024 * 1024 };
  await run(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'],
    options,
  );
  for (const script of scripts) await run(process.execPath, [script], options);
  renameSync(part, folder);
}
