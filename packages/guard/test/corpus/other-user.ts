/** Runs a program of the tests as another user: one file that anybody may read, made of all that it imports. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Nobody: an ordinary user without files, groups or privileges. */
const nobody = 65_534;

export interface User {
  readonly name: string;
  /** Undefined: whoever runs the tests. */
  readonly uid: number | undefined;
}

/** Whoever runs the tests and, where that is root, an ordinary user. */
export const users: readonly User[] = [
  { name: process.getuid?.() === 0 ? 'root' : 'the user of the tests', uid: undefined },
  ...(process.getuid?.() === 0 ? [{ name: 'an ordinary user', uid: nobody }] : []),
];

/** Whether this machine lets that user run Node at all; it may lie in somebody's closed home. */
export function canRun({ uid }: User): boolean {
  return uid === undefined || spawnSync(process.execPath, ['-e', ''], { uid, gid: uid }).status === 0;
}

export interface Program {
  readonly path: string;
  /** A folder that everybody may read. */
  readonly folder: string;
  remove(): void;
}

/** Bundles a TypeScript file into a folder of its own. */
export async function bundle(entry: string): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'guard-program-'));
  chmodSync(folder, 0o755);
  const path = join(folder, 'src', 'program.mjs');
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // What is CommonJS among the dependencies asks for `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    logLevel: 'silent',
  });
  writeFileSync(join(folder, 'package.json'), '{"name":"program","version":"0.0.0"}'); // the runtime reads its version
  return { path, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs Node with these arguments to its end, and gives what it printed. */
export function runNode(
  { uid }: User,
  args: readonly string[],
): Promise<{ readonly output: string; readonly code: number | null }> {
  const child = spawn(process.execPath, [...args], {
    cwd: tmpdir(),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ output, code }));
  });
}
