// How our programs are bundled: the `main.ts` of every app and the modules that are started as processes of their own,
// with our packages inside, and those of others left where npm put them, or inside, too, where that is asked. Plain
// Node: it runs before anything is compiled.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Modules that are started as processes of their own, or in threads, beside the `main.ts` of every app. */
const furtherEntries = [
  'packages/analyzers/src/scan-process.ts',
  'packages/transport/src/heartbeat-thread.ts',
];

/**
 * Libraries that nearly every program loads at its start, and that are nothing but JavaScript: a few hundred files that
 * are found, read and compiled for themselves took a third of the start of a command.
 */
const common =
  /^(?:zod|yaml|commander|prom-client|picocolors|picomatch|log-update|fastest-levenshtein|micromark-.+|mdast-.+)(?:\/|$)/;

/**
 * Writes the programs into `outdir`: `apps/worker/src/main.ts` is `apps/worker/src/main.mjs` there.
 *
 * further: entries, such as those of the bench, that are wanted beside the programs;
 * banner: a first line of every file; it sets what `ownProcess` of the runtime reads: where the compiled programs are;
 * urlOf: an expression for what `import.meta.url` is in a source, given its path below the root. A module finds the
 * files beside its source by it;
 * inside: the libraries that every program loads are in it;
 * options: further ones of esbuild.
 *
 * Resolves to what esbuild says of the output.
 */
export async function bundle({ outdir, further = [], banner, urlOf, inside = false, options = {} }) {
  const { build, stop } = await import('esbuild');
  try {
    return await build({
      // Else a tsconfig.json of the folder that the program is called in would count.
      absWorkingDir: root,
      entryPoints: entriesWith([...furtherEntries, ...further]),
      outdir,
      outbase: root,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      logLevel: 'silent',
      banner: { js: banner },
      plugins: [ours(urlOf), ...(inside ? [commonInside] : []), othersOutside],
      ...options,
    });
  } finally {
    // Else its service would live as long as the program.
    await stop();
  }
}

/** The URL that a source has in this checkout. */
export function urlHere(path) {
  return JSON.stringify(pathToFileURL(join(root, path)).href);
}

function entriesWith(further) {
  const mains = readdirSync(join(root, 'apps')).map((app) => join('apps', app, 'src', 'main.ts'));
  return [...mains, ...further].map((entry) => join(root, entry)).filter((file) => existsSync(file));
}

const ours = (urlOf) => ({
  name: 'ours',
  setup(build) {
    build.onResolve({ filter: /^@switchyard\/[a-z]+$/ }, ({ path }) => ({
      path: join(root, 'packages', path.slice('@switchyard/'.length), 'src', 'index.ts'),
    }));
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', urlOf(relative(root, path))),
      loader: 'ts',
      resolveDir: dirname(path),
    }));
  },
});

const commonInside = {
  name: 'common-inside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind, resolveDir, pluginData }) => {
      const wanted = common.test(path) || (importer.includes('/node_modules/') && !isBuiltin(path));
      if (!wanted || kind === 'entry-point' || pluginData === 'found') return undefined;
      return build.resolve(path, { importer, kind, resolveDir, pluginData: 'found' });
    });
    // Our errors are in English; the other fifty languages of zod are half of it.
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

const othersOutside = {
  name: 'others-outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind, pluginData }) =>
      kind === 'entry-point' || pluginData === 'found' ? undefined : { path, external: true },
    );
  },
};
