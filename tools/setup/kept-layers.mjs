// Dependency layers kept from one `npm start` to the next, in a private folder beside the temporary ones.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const keptMax = 2;

/** Where the layers for these files (lock, set-up) are kept; undefined when the folder is not ours alone. */
export function keptFolder(files) {
  const uid = process.getuid?.() ?? 0;
  const root = join(tmpdir(), `switchyard-layers-${uid}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const found = lstatSync(root);
  // The temporary folder is everybody's: what another user made there is not used.
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) return undefined;
  const hash = createHash('sha256').update(`${process.version} ${process.arch}`);
  for (const file of files) hash.update(readFileSync(file));
  return join(root, hash.digest('hex').slice(0, 16));
}

/** Puts kept layers into a state folder; whether there were any. */
export function takeLayers(kept, layers) {
  const names = layerNames(kept);
  if (names.length > 0) mkdirSync(layers, { recursive: true, mode: 0o700 });
  for (const name of names) renameSync(join(kept, name), join(layers, name));
  return names.length > 0;
}

/** Keeps the layers of a state folder for the next time, and only the newest few sets of them. */
export function keepLayers(kept, layers) {
  const names = layerNames(layers);
  if (names.length === 0) return;
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  for (const name of names) {
    rmSync(join(kept, name), { recursive: true, force: true });
    renameSync(join(layers, name), join(kept, name));
  }
  const root = join(kept, '..');
  const age = (name) => statSync(join(root, name)).mtimeMs;
  const old = readdirSync(root)
    .sort((a, b) => age(b) - age(a))
    .slice(keptMax);
  for (const name of old) rmSync(join(root, name), { recursive: true, force: true });
}

/** Finished layers only: what a build leaves behind has another name. */
function layerNames(folder) {
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f]{40}$/.test(name));
  } catch {
    // No such folder: no layers.
    return [];
  }
}
