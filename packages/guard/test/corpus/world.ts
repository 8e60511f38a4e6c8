/** The folders of one case, made and removed, and what of them must not change. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

export interface World {
  readonly names: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly secret: string;
  /** What stood outside the workspace when the guard was opened, by name. */
  outside: ReadonlyMap<string, string>;
}

export function makeWorld(before: string | undefined): World {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'guard-case-')));
  const at = (name: string): string => join(base, name);
  const secret = `SECRET-${randomBytes(8).toString('hex')}`;
  for (const name of ['ws', 'ro', 'outside', 'ws-evil', 'home/.ssh'])
    mkdirSync(at(name), { recursive: true });
  for (const name of ['outside/secret.txt', 'ws-evil/secret.txt', 'home/.ssh/id_rsa'])
    writeFileSync(at(name), secret);
  writeFileSync(at('ro/r.txt'), 'READABLE');
  const names = {
    B: base,
    WS: at('ws'),
    RO: at('ro'),
    OUT: at('outside'),
    SIB: at('ws-evil'),
    HOME: at('home'),
    SECRET: secret,
    PID: String(process.pid),
  };
  const world: World = { names, workspace: at('ws'), secret, outside: new Map() };
  if (before !== undefined) runOnHost(world, before);
  world.outside = standing(world);
  return world;
}

/** A shell line of the host, in `$B`. */
export function runOnHost({ names }: World, line: string): void {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...names, GIT_CONFIG_NOSYSTEM: '1' };
  execFileSync('/bin/sh', ['-ec', line], { cwd: names['B'], env, stdio: ['ignore', 'ignore', 'pipe'] });
}

export function removeWorld({ names }: World): void {
  const base = names['B'] ?? '';
  try {
    rmSync(base, { recursive: true, force: true });
  } catch {
    execFileSync('chmod', ['-R', 'u+rwx', base]); // folders that a case has closed
    rmSync(base, { recursive: true, force: true });
  }
}

/** Fills names in: `$WS` and so on, in every text of a value. */
export function fill(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string')
    return value.replace(/\$([A-Z]+)\b/g, (whole, name: string) => names[name] ?? whole);
  return Array.isArray(value) ? value.map((each) => fill(each, names)) : value;
}

/** Everything in `$B` but the workspace: kind, mode, owner, time and content. */
export function standing({ names, workspace }: World): Map<string, string> {
  const found = new Map<string, string>();
  const base = names['B'] ?? '';
  const visit = (folder: string): void => {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (path === workspace) continue;
      const stat = lstatSync(path);
      const time = stat.isFile() ? stat.mtimeMs : '';
      found.set(relative(base, path), `${stat.mode} ${stat.uid} ${stat.gid} ${time} ${contentOf(path)}`);
      if (stat.isDirectory()) visit(path);
    }
  };
  visit(base);
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // its mode, which is compared, closes it
  }
}

function contentOf(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return readlinkSync(path);
  if (!stat.isFile() || stat.size > 1_000_000) return '';
  try {
    return readFileSync(path, 'base64');
  } catch {
    return '';
  }
}
