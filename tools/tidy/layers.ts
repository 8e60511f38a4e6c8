import { manifests, ownerOf, type Manifest } from './manifest.ts';
import { importsOf, sources } from './source.ts';
import type { Problem, Rule, Tree } from './tree.ts';

/** DESIGN.md section 3: which layers a layer may import. Arrows point down only; siblings never meet. */
const below: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  client: ['contract'],
  core: ['contract'],
  kit: ['contract'],
  wire: ['contract', 'kit'],
  adapter: ['contract', 'kit'],
  daemon: ['contract', 'client', 'core', 'kit', 'wire', 'adapter'],
  edge: ['contract', 'client', 'core', 'kit', 'wire', 'adapter'],
  test: ['contract', 'client', 'core', 'kit', 'wire', 'adapter'],
};

/** Edges beyond the table, each for a reason. */
const extra: Readonly<Record<string, readonly string[]>> = {
  // What worker and reviewer share is how they reach a hub.
  '@switchyard/peer': ['wire'],
  // How the programs at the edge find, start and reach an orchestrator.
  '@switchyard/access': ['client', 'wire', 'adapter'],
  // The history of a run is what scheduler and review make of what the journal keeps.
  '@switchyard/history': ['core', 'adapter'],
};

/** Dependencies and imports go down the layers; the testkit is for tests only. */
export const layers: Rule = (tree) => {
  const all = manifests(tree);
  return [...all.flatMap((each) => declared(each, all)), ...imported(tree, all)];
};

function declared(each: Manifest, all: readonly Manifest[]): Problem[] {
  const path = `${each.folder}/package.json`;
  if (each.layer === undefined || below[each.layer] === undefined)
    return [
      { path, line: 1, text: `has no layer of DESIGN.md section 3 (tag layer:…): ${each.layer ?? 'none'}` },
    ];
  return [...each.dependencies].flatMap((name) => {
    const why = refusal(each, name, all);
    return why === undefined ? [] : [{ path, line: 1, text: why }];
  });
}

function imported(tree: Tree, all: readonly Manifest[]): Problem[] {
  const problems: Problem[] = [];
  for (const [path, file] of sources(tree)) {
    const owner = ownerOf(path, all);
    if (owner === undefined) continue;
    const isTest = path.startsWith(`${owner.folder}/test/`);
    for (const { specifier, line } of importsOf(file)) {
      const name = /^@switchyard\/[^/]+/.exec(specifier)?.[0];
      if (name === undefined || name === owner.name) continue;
      const why = isTest ? refusalInTest(owner, name, all) : refusal(owner, name, all);
      if (why !== undefined) problems.push({ path, line, text: why });
    }
  }
  return problems;
}

function refusal(from: Manifest, name: string, all: readonly Manifest[]): string | undefined {
  if (!name.startsWith('@switchyard/')) return undefined;
  const to = all.find((each) => each.name === name);
  if (to === undefined) return `there is no package ${name}`;
  const allowed = [...(below[from.layer ?? ''] ?? []), ...(extra[from.name] ?? [])];
  if (allowed.includes(to.layer ?? '')) return undefined;
  return `${from.name} (${from.layer}) may not import ${name} (${to.layer})`;
}

/** Tests may also use the testkit, and what lies beside or below: they build their surroundings from real parts. */
function refusalInTest(from: Manifest, name: string, all: readonly Manifest[]): string | undefined {
  const to = all.find((each) => each.name === name);
  if (to === undefined) return `there is no package ${name}`;
  const isApp = to.layer === 'daemon' || to.layer === 'edge';
  return isApp ? `a test of ${from.name} may not import the app ${name}` : undefined;
}
