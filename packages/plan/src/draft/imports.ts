import { isWithin } from './own-entries.ts';
import type { RepositoryFiles } from './project.ts';

/** Source files looked at in one project, and how much of each: enough to see what it builds on. */
const filesMax = 400;
const lengthMax = 100_000;

/** What the sources of a project import by name, without those of projects inside it. */
export function importedNames(root: string, roots: readonly string[], files: RepositoryFiles): string[] {
  const inside = roots.filter((other) => other !== root && isWithin(root, other));
  const sources = files.paths.filter(
    (path) =>
      /\.([cm]?[jt]sx?|vue|svelte)$/.test(path) &&
      isWithin(root, path) &&
      !inside.some((other) => isWithin(other, path)),
  );
  const found = sources
    .slice(0, filesMax)
    .flatMap((path) => specifiersIn((files.text(path) ?? '').slice(0, lengthMax)));
  return [...new Set(found)];
}

function specifiersIn(text: string): string[] {
  const matches = text.matchAll(/(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*(['"])([^'"\n]{1,300})\1/g);
  return [...matches]
    .map(([, , specifier = '']) => specifier)
    .filter((specifier) => !specifier.startsWith('.'));
}
