/**
 * The real coding agents that tests run, installed once for each user by a lock file of their own: not part of the
 * program, so not in its node_modules, and 1 GB, so not in the repository.
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

export type InstalledAgents =
  | { readonly kind: 'installed'; readonly folder: string }
  /** No registry answers here, and nothing is cached: tests of real agents are skipped with this reason. */
  | { readonly kind: 'unreachable'; readonly reason: string };

const pinned = fileURLToPath(new URL('fixtures/pinned', import.meta.url));
/** What npm says when the registry cannot be reached; everything else is an error of ours. */
const networkWords =
  /\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b/;

/** Installs what is not there yet; test files that ask at the same time wait for one another. */
export async function installAgents(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<InstalledAgents> {
  const lockText = readFileSync(join(pinned, 'package-lock.json'));
  const digest = createHash('sha256').update(lockText).digest('hex').slice(0, 12);
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'switchyard', 'test-agents');
  const folder = join(cache, digest);
  if (existsSync(folder)) return { kind: 'installed', folder };
  mkdirSync(cache, { recursive: true });
  const release = await lock(join(cache, `${digest}.lock`));
  try {
    if (!existsSync(folder)) await install(folder);
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
async function install(folder: string): Promise<void> {
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
  // The one script that is needed: it puts the binary of this platform in its place.
  await run(process.execPath, [join('node_modules', '@anthropic-ai', 'claude-code', 'install.cjs')], options);
  renameSync(part, folder);
}
