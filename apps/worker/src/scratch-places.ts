import { isToolFolder, walkTree } from '@switchyard/receipts';
import { standingAt } from './standing.ts';

/** Files whose folder is a package: `**` of a scratch pattern also names places there that do not exist yet. */
const packageManifests = new Set(['package.json', 'pyproject.toml', 'Cargo.toml', 'go.mod', 'composer.json']);
const placesMax = 500;

/**
 * The folders of a checkout that the plan's scratch patterns name: those that exist, and those that a tool may
 * make in the root or in a package (`dist` anywhere → `dist`, `packages/a/dist`). Paths relative to the root.
 */
export function scratchPlaces(tree: string, patterns: readonly string[]): string[] {
  if (patterns.length === 0) return [];
  const folders = ['.'];
  const packages = new Set(['.']);
  for (const { path, entry } of walkTree(tree, (folder) => !isToolFolder(folder))) {
    if (entry.isDirectory()) folders.push(path);
    else if (packageManifests.has(entry.name)) packages.add(parentOf(path));
  }
  const found = new Set<string>();
  for (const pattern of patterns) {
    const matches = matcherOf(pattern);
    for (const folder of folders) if (matches(folder)) found.add(folder);
    for (const place of literalPlaces(pattern, packages)) found.add(place);
  }
  found.delete('.');
  return outermost([...found])
    .filter((place) => ['nothing', 'folder'].includes(standingAt(tree, place)))
    .slice(0, placesMax);
}

/** Whether a path, or a folder above it, matches a scratch pattern or a place as it stands. */
export function discardedBy(patterns: readonly string[]): (path: string) => boolean {
  const matchers = patterns.map(matcherOf);
  return (path) => {
    const names = path.split('/');
    return names.some((_, index) => matchers.some((matches) => matches(names.slice(0, index + 1).join('/'))));
  };
}

/** Drops paths that lie in another one of the list. */
export function outermost(paths: readonly string[]): string[] {
  const sorted = [...new Set(paths)].sort();
  return sorted.filter((path) => !sorted.some((other) => path !== other && isBelow(path, other)));
}

/** Whether `path` is `folder` or lies in it; `.` holds everything. */
export function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? '.' : path.slice(0, cut);
}

/** Places that a pattern names without wildcards, or behind one leading `**`. */
function literalPlaces(pattern: string, packages: ReadonlySet<string>): string[] {
  const clean = pattern.replace(/\/+$/, '');
  const rest = clean.startsWith('**/') ? clean.slice(3) : clean;
  if (/[*?[\]{}]/.test(rest)) return [];
  if (rest === clean) return [clean];
  return [...packages].map((folder) => (folder === '.' ? rest : `${folder}/${rest}`));
}

/** `**` any folders, `*` and `?` within one name. */
function matcherOf(pattern: string): (path: string) => boolean {
  const source = pattern
    .replace(/\/+$/, '')
    .split('/')
    .map((part) =>
      part === '**'
        ? '(?:[^/]+/)*'
        : `${part
            .split(/([*?])/)
            .map(wildcard)
            .join('')}/`,
    )
    .join('');
  const expression = new RegExp(`^${source}$`);
  return (path) => expression.test(`${path}/`);
}

function wildcard(text: string): string {
  if (text === '*') return '[^/]*';
  if (text === '?') return '[^/]';
  return text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
}
