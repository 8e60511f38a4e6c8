import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plan } from '@switchyard/protocol';
import { isToolFolder, walkTree } from './tree-walk.ts';

/** What decides which dependencies a set-up installs: manifests, lockfiles, and settings of package managers. */
const names = new Set([
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'bun.lock',
  'bun.lockb',
  'deno.lock',
  '.npmrc',
  '.yarnrc.yml',
  '.nvmrc',
  '.node-version',
  '.tool-versions',
  'pyproject.toml',
  'poetry.lock',
  'uv.lock',
  'Pipfile',
  'Pipfile.lock',
  'Cargo.toml',
  'Cargo.lock',
  'go.mod',
  'go.sum',
  'Gemfile',
  'Gemfile.lock',
  'composer.json',
  'composer.lock',
]);

function isManifest(path: string): boolean {
  const name = basename(path);
  return names.has(name) || /^requirements.*\.txt$/.test(name);
}

/** How a plan's dependencies are installed. */
export type Setup = NonNullable<Plan['setup']>;

/** The layer's name: SHA-256 over manifests, lockfiles, the set-up itself, platform and Node version. */
export function layerKey(checkout: string, setup: Setup): string {
  const hash = createHash('sha256');
  const add = (...parts: readonly (string | Buffer)[]): void => {
    for (const part of parts) hash.update(`${part.length}:`).update(part);
  };
  add(process.platform, process.arch, process.version, JSON.stringify(setup));
  for (const { path, entry } of walkTree(checkout, (folder) => !isToolFolder(folder))) {
    if (!isManifest(path) || !entry.isFile()) continue;
    const file = join(checkout, path);
    // Manifests are small; whatever is not counts by its size.
    const { size } = lstatSync(file);
    add(path, size > 64 * 1024 * 1024 ? String(size) : readFileSync(file));
  }
  return hash.digest('hex').slice(0, 40);
}
