import { posix } from 'node:path';
import { languageOf } from '../path-kind.ts';
import type { ChangeView } from './change-view.ts';

const endings = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '.json',
  '.d.ts',
  '.vue',
  '.svelte',
];
const compiled: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx', '.jsx', '.d.ts'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts', '.d.mts'],
  '.cjs': ['.cts', '.d.cts'],
};

/** The file that a relative import names, among files that are there. */
export function resolveImport(
  from: string,
  specifier: string,
  files: ReadonlySet<string>,
): string | undefined {
  const target = posix.join(posix.dirname(from), specifier.replace(/[?#].*$/, ''));
  const names = endings.map((ending) => `${target}${ending}`);
  const ending = posix.extname(target);
  for (const source of compiled[ending] ?? []) names.push(`${target.slice(0, -ending.length)}${source}`);
  for (const index of endings.slice(1)) names.push(`${target}/index${index}`);
  return names.find((name) => files.has(name));
}

/** One place that takes a name from a module. */
export interface Taker {
  readonly path: string;
  readonly line: number;
  readonly names: readonly string[];
}

/** Every place of the tree that imports a module, by its path or by the name of its package. */
export async function takersOf(view: ChangeView, module: string): Promise<Taker[]> {
  const paths = await view.tree();
  // A deleted module is no file any more, but imports of it would still lead there.
  const files = new Set([...paths, module]);
  const stem = posix.basename(module).replace(/\.[^.]+$/, '');
  const packageName = await packageOfEntry(view, module);
  const words = [stem === 'index' ? posix.basename(posix.dirname(module)) : stem, ...(packageName ?? [])];
  const takers: Taker[] = [];
  for (const path of paths) {
    if (path === module || languageOf(path) === undefined) continue;
    const text = await view.after(path);
    if (text === undefined || !words.some((word) => text.includes(word))) continue;
    for (const { from, names, line } of (await view.factsAfter(path)).imports) {
      const isTaken = from.startsWith('.')
        ? resolveImport(path, from, files) === module
        : packageName?.includes(from) === true;
      if (isTaken) takers.push({ path, line, names });
    }
  }
  return takers;
}

/** The name of the package whose entry a module is; nothing for modules inside one. */
async function packageOfEntry(view: ChangeView, module: string): Promise<string[] | undefined> {
  if (!/(^|\/)(src\/)?(index|main|mod)\.[cm]?[jt]sx?$/.test(module)) return undefined;
  const folder = posix.dirname(module).replace(/(^|\/)(src|lib)$/, '');
  const text = await view.after(folder === '' || folder === '.' ? 'package.json' : `${folder}/package.json`);
  const name = /"name"\s*:\s*"([^"]+)"/.exec(text ?? '')?.[1];
  return name === undefined ? undefined : [name];
}
