// How our programs are bundled: the `main.ts` of every app and the modules that are started as processes of their own,
// with our packages inside, and those of others left where npm put them. Plain Node: it runs before anything is
// compiled.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Modules that are started as processes of their own, or in threads, beside the `main.ts` of every app. */
const furtherEntries = [
  'packages/analyzers/src/scan-process.ts',
  'packages/transport/src/heartbeat-thread.ts',
];

/**
 * Writes the programs into `outdir`: `apps/worker/src/main.ts` is `apps/worker/src/main.mjs` there.
 *
 * further: entries, such as those of the bench, that are wanted beside the programs;
 * banner: a first line of every file; it sets what `ownProcess` of the runtime reads: where the compiled programs are;
 * urlOf: an expression for what `import.meta.url` is in a source, given its path below the root. A module finds the
 * files beside its source by it;
 * options: further ones of esbuild.
 *
 * Resolves to what esbuild says of the output.
 */
export async function bundle({ outdir, further = [], banner, urlOf, options = {} }) {
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
      plugins: [ours(urlOf)],
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
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true },
    );
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', urlOf(relative(root, path))),
      loader: 'ts',
      resolveDir: dirname(path),
    }));
  },
});
