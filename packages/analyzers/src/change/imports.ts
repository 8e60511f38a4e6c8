import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import type { PlacedFinding } from '../engine.ts';
import { languageOf } from '../path-kind.ts';
import type { ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { resolveImport } from './module-graph.ts';

const builtin = new Set(builtinModules);
/** What a build makes, and what a bundler answers for itself. */
const madeLater =
  /(^|[/._-])(generated|gen|dist|build|out|pb|wasm)([/._-]|$)|\.(css|scss|sass|less|svg|png|jpe?g|gif|webp|woff2?|txt|md|ya?ml|graphql|gql|html|node|wasm)$/;
const byTheBundler =
  /^(virtual:|data:|https?:|bun:|deno:|npm:|jsr:|node:|astro:|cloudflare:|[@~$#]\/|#|~|\$)/;

/** What a file imports is there: a file of the tree, or a package that a manifest declares. */
export const imports: ChangeCheck = {
  specializations: ['integration'],
  async find(view) {
    const files = new Set(await view.tree());
    const found: PlacedFinding[] = [];
    for (const { path } of view.present) {
      if (languageOf(path) === undefined) continue;
      for (const { from, line } of (await view.factsAfter(path)).imports) {
        const why = from.startsWith('.')
          ? unresolved(path, from, files)
          : await undeclared(view, { path, from, files });
        if (why !== undefined)
          found.push({ category: 'integration', file: path, line, references: [], ...why });
      }
    }
    return found;
  },
};

type Reason = Pick<PlacedFinding, 'severity' | 'description' | 'suggestion' | 'rule'>;

function unresolved(path: string, from: string, files: ReadonlySet<string>): Reason | undefined {
  // Outside of what is looked at, or not there yet.
  const isOutside = posix.join(posix.dirname(path), from).startsWith('..');
  if (isOutside || madeLater.test(from) || resolveImport(path, from, files) !== undefined) return undefined;
  return {
    severity: 'major',
    rule: 'change/import-of-nothing',
    description: `${from} leads to no file.`,
    suggestion: 'Mend the path, or add the file to the change.',
  };
}

async function undeclared(
  view: ChangeView,
  {
    path,
    from,
    files,
  }: { readonly path: string; readonly from: string; readonly files: ReadonlySet<string> },
): Promise<Reason | undefined> {
  if (byTheBundler.test(from) || from.startsWith('/') || builtin.has(from)) return undefined;
  const name = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
  if (builtin.has(name) || !/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) return undefined;
  const manifests = await manifestsAbove(view, path, files);
  if (manifests.length === 0 || manifests.some((manifest) => declares(manifest, name))) return undefined;
  if (await isAlias(view, name, files)) return undefined;
  return {
    severity: 'minor',
    rule: 'change/import-undeclared',
    description: `${name} is in no package.json above this file; a clean install may not have it.`,
    suggestion: `Add ${name} to the dependencies.`,
  };
}

async function manifestsAbove(
  view: ChangeView,
  path: string,
  files: ReadonlySet<string>,
): Promise<Manifest[]> {
  const found: Manifest[] = [];
  for (let folder = posix.dirname(path); ; folder = posix.dirname(folder)) {
    const file = folder === '.' ? 'package.json' : `${folder}/package.json`;
    const manifest = files.has(file) ? readManifest(await view.after(file)) : undefined;
    if (manifest !== undefined) found.push(manifest);
    if (folder === '.') return found;
  }
}

function declares(manifest: Manifest, name: string): boolean {
  const plain = name.startsWith('@') ? name.slice(1).replace('/', '__') : name;
  return manifest.name === name || manifest.all.has(name) || manifest.all.has(`@types/${plain}`);
}

/** A path of tsconfig.json, or a folder of the root that `baseUrl` makes importable. */
async function isAlias(view: ChangeView, name: string, files: ReadonlySet<string>): Promise<boolean> {
  const [first = ''] = name.split('/');
  for (const file of files)
    if (/(^|\/)(tsconfig[\w.-]*|jsconfig)\.json$/.test(file)) {
      const text = await view.after(file);
      if (text?.includes(`"${first}`) === true || /"baseUrl"/.test(text ?? '')) return true;
    }
  return false;
}
