import { posix } from 'node:path';
import ts from 'typescript';
import { manifests, ownerOf } from './manifest.ts';
import { importsOf, lineOf, sources } from './source.ts';
import type { Problem, Rule } from './tree.ts';

/** Tools that find their configuration by its default export. */
const defaultExportAllowed = /(^|\/)[\w-]+\.config\.ts$|\.d\.ts$/;

/** One door per package: `exports` names it, nobody goes around it, and what it offers is listed by name. */
export const doors: Rule = (tree) => [...onlyDoor(tree), ...aroundDoor(tree), ...listedByName(tree)];

const onlyDoor: Rule = (tree) =>
  manifests(tree)
    .filter(({ folder }) => folder.startsWith('packages/'))
    .filter(({ exports }) => JSON.stringify(exports) !== '{".":"./src/index.ts"}')
    .map(({ folder }) => ({
      path: `${folder}/package.json`,
      line: 1,
      text: 'has another door than "exports": { ".": "./src/index.ts" }',
    }));

const aroundDoor: Rule = (tree) => {
  const all = manifests(tree);
  const problems: Problem[] = [];
  for (const [path, file] of sources(tree)) {
    for (const { specifier, line } of importsOf(file)) {
      if (/^@switchyard\/[^/]+\//.test(specifier))
        problems.push({ path, line, text: `goes around a door: ${specifier}` });
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(path), specifier);
      const owner = ownerOf(target, all);
      if (owner === undefined || owner === ownerOf(path, all)) continue;
      // DESIGN.md section 3: tests that cross packages may import a daemon's loop.
      if (path.startsWith('test/') && /^apps\/[^/]+\/src\/daemon\.ts$/.test(target)) continue;
      problems.push({ path, line, text: `reaches into ${owner.name}: ${specifier}` });
    }
  }
  return problems;
};

const listedByName: Rule = (tree) => {
  const problems: Problem[] = [];
  for (const [path, file] of sources(tree)) {
    for (const statement of file.statements) {
      const line = lineOf(file, statement);
      if (ts.isExportDeclaration(statement) && statement.exportClause === undefined)
        problems.push({ path, line, text: 'export * hides what is offered; list the names' });
      if (isDefaultExport(statement) && !defaultExportAllowed.test(path))
        problems.push({ path, line, text: 'a default export has no name of its own' });
    }
  }
  return problems;
};

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}
