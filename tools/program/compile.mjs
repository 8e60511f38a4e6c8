// The compiled copy of this checkout's programs: TypeScript is turned into JavaScript once for each state of the
// sources, not at every start, which takes a second of two processors. Plain Node: it runs before anything is compiled.
//
// A copy lies in node_modules/.cache/switchyard/<stamp>, where <stamp> names the sources by path, size and time. It
// is made aside and renamed, so that of two processes that make the same one, one wins and nobody reads half of it.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle, root, urlHere } from './bundle.mjs';

const cache = join(root, 'node_modules', '.cache', 'switchyard');
/** Copies that nobody made anew for so long go; a daemon that is older still finds its own. */
const keptMs = 30 * 24 * 60 * 60_000;

/**
 * The folder that holds the compiled programs, made if it is missing: `apps/worker/src/main.ts` is
 * `apps/worker/src/main.mjs` there. `further`: entries, such as those of the bench, that are wanted beside the programs.
 * Undefined where it cannot be written (a checkout of another user).
 */
export async function compiledCopy(further = []) {
  const beside = [...new Set(further.map((entry) => join(root, dirname(entry))))];
  const copy = join(cache, stampOf([...sourceFolders(), ...beside]));
  if (existsSync(copy)) return copy;
  let aside;
  try {
    mkdirSync(cache, { recursive: true });
    aside = mkdtempSync(join(cache, 'new-'));
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM') return undefined;
    throw error;
  }
  await compileInto(copy, aside, further);
  dropOld(copy);
  return copy;
}

function sourceFolders() {
  return ['apps', 'packages'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name, 'src')),
  );
}

/** Names a state of the sources. */
function stampOf(folders) {
  const hash = createHash('sha256');
  for (const tool of ['bundle.mjs', 'compile.mjs'])
    hash.update(readFileSync(join(root, 'tools/program', tool)));
  for (const file of folders.flatMap(typeScriptIn).sort()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file.slice(root.length)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 20);
}

function typeScriptIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);
}

/** Libraries in CommonJS ask for the modules of Node by it. */
const ownRequire =
  "import{createRequire as switchyardRequire}from'node:module';const require=switchyardRequire(import.meta.url);";

async function compileInto(copy, aside, further) {
  try {
    await bundle({
      outdir: aside,
      further,
      banner: `${ownRequire}globalThis.switchyardPrograms = ${JSON.stringify({ root, copy })};`,
      urlOf: urlHere,
      inside: true,
      // What is read at each start is short; its lines stay short enough for the trace of an error.
      options: { sourcemap: 'linked', minifyWhitespace: true, minifySyntax: true, lineLimit: 110 },
    });
    // Made for its maker alone; whoever may read the checkout may run its programs.
    chmodSync(aside, 0o777 & ~process.umask());
    renameSync(aside, copy);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    // Somebody else made the same copy meanwhile.
    if (!existsSync(copy)) throw error;
  }
}

function dropOld(current) {
  for (const name of readdirSync(cache)) {
    const copy = join(cache, name);
    const { mtimeMs } = statSync(copy, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (copy !== current && Date.now() - mtimeMs > keptMs) rmSync(copy, { recursive: true, force: true });
  }
}
