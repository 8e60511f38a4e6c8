import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

declare global {
  /** Set by the compiled copy of the programs (tools/program): this process runs from it. */
  var switchyardPrograms: { readonly root: string; readonly copy: string } | undefined;
}

/** The words after `node` that run one of our modules as a process of its own. */
export interface OwnProcess {
  /** Flags of Node itself. */
  readonly execArgv: readonly string[];
  readonly entry: string;
}

/**
 * How a module of ours is started: from the same compiled copy as this process, or through tsx where this process
 * runs from the sources (tests, watching developers).
 * @param source the module, as `new URL('./scan-process.ts', import.meta.url)`
 */
export function ownProcess(source: URL): OwnProcess {
  const file = fileURLToPath(source);
  const entry = compiledOf(file);
  if (entry !== undefined) return { execArgv: [], entry };
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { execArgv: ['--import', loader], entry: file };
}

/**
 * How a module of ours is started as a thread of this process, as `new Worker(ownThread(…))`. tsx as a flag reaches main
 * threads only, so that a thread loads it by itself.
 * @param source the module, as `new URL('./heartbeat-thread.ts', import.meta.url)`
 */
export function ownThread(source: URL): URL {
  const entry = compiledOf(fileURLToPath(source));
  if (entry !== undefined) return pathToFileURL(entry);
  // Of its two builds `require` finds the one that cannot find its own parts.
  const api = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const [loader, module] = [pathToFileURL(api).href, source.href].map((href) => JSON.stringify(href));
  const code = `import { register } from ${loader}; register(); await import(${module});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** Undefined: this process runs from the sources. */
function compiledOf(file: string): string | undefined {
  const programs = globalThis.switchyardPrograms;
  if (programs === undefined) return undefined;
  return join(programs.copy, relative(programs.root, file).replace(/\.ts$/, '.mjs'));
}
