// `npm run pack [-- FOLDER]`: writes switchyard-VERSION.tgz, what people install where there is no checkout:
//   npm install --global ./switchyard-VERSION.tgz
// The programs, compiled, and the files beside their sources; the libraries they use are its dependencies, at the
// versions of this checkout.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { ensure } from '../setup/ensure.mjs';
import { endWith, SetupError } from '../setup/setup-error.mjs';
import { bundle, root } from './bundle.mjs';

/** Where the package lies is known only when it runs: each file works it out from its own place. */
const banner = [
  "import { fileURLToPath as switchyardPath } from 'node:url';",
  String.raw`const switchyardRoot = import.meta.url.replace(/^(.*\/)(?:apps|packages)\/.*$/, '$1');`,
  'const switchyardFolder = switchyardPath(switchyardRoot);',
  'globalThis.switchyardPrograms = { root: switchyardFolder, copy: switchyardFolder };',
].join('\n');

await endWith(async () => {
  ensure({ sandbox: false });
  const into = resolve(process.argv[2] ?? '.');
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-pack-'));
  try {
    const inside = await compile(folder);
    for (const name of inside) copyBeside(name, folder);
    writeEntry(folder);
    writeManifest(folder, inside);
    for (const name of ['README.md', 'LICENSE']) cpSync(join(root, name), join(folder, name));
    const file = join(into, packed(folder, into));
    console.log(`wrote ${file}\ninstall it with: npm install --global ${file}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
});

/** Resolves to the apps and packages that are in it, such as `packages/plan`. */
async function compile(folder) {
  const { metafile } = await bundle({
    outdir: folder,
    banner,
    urlOf: (path) => `new URL(${JSON.stringify(path)}, switchyardRoot).href`,
    // Beside the packages: what runs in a sandbox is shown that folder.
    options: { metafile: true, chunkNames: 'packages/chunks/[name]-[hash]' },
  });
  const names = Object.keys(metafile.inputs).map((path) => /^(?:apps|packages)\/[^/]+/.exec(path)?.[0]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** Copies what lies beside the sources and is no source, and the manifest, which says the version. */
function copyBeside(name, folder) {
  const files = readdirSync(join(root, name, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  for (const file of [...files, join(name, 'package.json')]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
}

/** The command, which checks the version of Node before anything is loaded. */
function writeEntry(folder) {
  const own = readFileSync(join(root, 'apps/cli/bin/switchyard.mjs'), 'utf8');
  const start = /\nconst \{ runProgram \}[\s\S]*$/;
  if (!start.test(own)) throw new Error('apps/cli/bin/switchyard.mjs does not end as it did');
  mkdirSync(join(folder, 'bin'));
  const text = own.replace(start, "\nawait import('../apps/cli/src/main.mjs');\n");
  writeFileSync(join(folder, 'bin/switchyard.mjs'), text, { mode: 0o755 });
}

function writeManifest(folder, inside) {
  const { version, license, engines } = readJson('package.json');
  const theirs = inside.flatMap((name) =>
    Object.entries(readJson(join(name, 'package.json')).dependencies ?? {}),
  );
  // tsx runs sources, of which there are none.
  const isOfUse = ([name]) => !name.startsWith('@switchyard/') && name !== 'tsx';
  const dependencies = theirs.filter(isOfUse).sort();
  const manifest = {
    name: 'switchyard',
    version,
    license,
    type: 'module',
    engines,
    bin: { switchyard: 'bin/switchyard.mjs' },
    dependencies: Object.fromEntries(dependencies),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** Has npm pack the folder. Returns the name of the file. */
function packed(folder, into) {
  if (!existsSync(into)) mkdirSync(into, { recursive: true });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`npm pack failed: ${stderr.trim()}`);
  return JSON.parse(stdout)[0].filename;
}
