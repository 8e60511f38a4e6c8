import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { manifests, ownerOf, readManifest, type Manifest } from './manifest.ts';
import { importsOf, sources } from './source.ts';
import type { Problem, Rule } from './tree.ts';

const pureLayers = new Set(['contract', 'client', 'core']);

/** What is imported is declared: by the package itself; for tests also at the root. Pure packages have no Node. */
export const declaredImports: Rule = (tree) => {
  const all = manifests(tree);
  const root = readManifest(tree, 'package.json');
  const problems: Problem[] = [];
  for (const [path, file] of sources(tree, /^(packages|apps|test|tools)\//)) {
    const owner = ownerOf(path, all);
    const isSource = owner !== undefined && path.startsWith(`${owner.folder}/src/`);
    for (const { specifier, line } of importsOf(file)) {
      const why = isSource ? inSource(specifier, owner) : inTest(specifier, owner, root);
      if (why !== undefined) problems.push({ path, line, text: why });
    }
  }
  return problems;
};

function inSource(specifier: string, owner: Manifest): string | undefined {
  if (specifier.startsWith('.')) return undefined;
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith('node:')) return `${specifier} is written node:${specifier}`;
    return pureLayers.has(owner.layer ?? '')
      ? `${owner.name} is pure and may not import ${specifier}`
      : undefined;
  }
  const name = packageOf(specifier);
  return owner.dependencies.has(name) ? undefined : `${owner.name} does not declare ${name}`;
}

/** Our own packages are linked at the root, so a test may import any of them; the layers rule says which. */
function inTest(specifier: string, owner: Manifest | undefined, root: Manifest): string | undefined {
  if (specifier.startsWith('.') || isBuiltin(specifier)) return undefined;
  const name = packageOf(specifier);
  const isKnown =
    name.startsWith('@switchyard/') ||
    owner?.dependencies.has(name) === true ||
    owner?.devDependencies.has(name) === true ||
    root.devDependencies.has(name);
  return isKnown ? undefined : `neither ${owner?.name ?? 'the root'} nor the root declares ${name}`;
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** No file imports itself, over however many steps; types count. */
export const noCycles: Rule = (tree) => {
  const edges = new Map<string, string[]>();
  for (const [path, file] of sources(tree)) {
    const targets = importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => posix.join(posix.dirname(path), specifier));
    edges.set(path, targets);
  }
  return findCycles(edges).map((cycle) => ({
    path: cycle[0] ?? '',
    line: 1,
    text: `imports in a circle: ${cycle.join(' → ')}`,
  }));
};

/** Depth first; each circle is told once, where the walk closed it. */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push([...trail.slice(at), path]);
    if (at >= 0 || done.has(path)) return;
    for (const target of edges.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return cycles;
}
