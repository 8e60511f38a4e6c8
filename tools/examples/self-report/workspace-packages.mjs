// The packages and apps of this work space, read from their package.json files.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every package and app: `{ folder, short, name, layer, door, uses }`, `uses` being our own packages only. */
export function workspacePackages() {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(group)
      .filter((short) => existsSync(join(group, short, 'package.json')))
      .sort()
      .map((short) => describe(group, short)),
  );
}

function describe(group, short) {
  const folder = `${group}/${short}`;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const tag = manifest.nx?.tags?.find((each) => each.startsWith('layer:')) ?? 'layer:none';
  const door = manifest.exports?.['.'];
  return {
    folder,
    short,
    name: manifest.name,
    layer: tag.slice('layer:'.length),
    door: typeof door === 'string' && existsSync(join(folder, door)) ? join(folder, door) : undefined,
    uses: Object.keys(manifest.dependencies ?? {})
      .filter((name) => name.startsWith('@switchyard/'))
      .sort(),
  };
}

/** TypeScript files below a folder, fixtures left out, sorted. */
export function sourceFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((file) => file.endsWith('.ts') && !/(^|\/)(fixtures|node_modules)\//.test(file))
    .sort();
}
