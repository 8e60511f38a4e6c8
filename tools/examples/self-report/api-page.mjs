// docs/api/<package>.md: what a package's door offers, with the first sentence of each docstring.
//   node tools/examples/self-report/api-page.mjs PACKAGE
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { table, writePage } from './page.mjs';

const short = process.argv[2];
const packages = JSON.parse(readFileSync('docs/packages.json', 'utf8'));
const found = packages.find((each) => each.short === short);
if (found?.door === undefined) throw new Error(`no package ${short} with a door in docs/packages.json`);

const rows = exportsOf(found.door).map(({ name, file }) => {
  const declaration = declarationOf(name, file);
  return [`\`${name}\``, kindOf(declaration), firstSentence(declaration)];
});
writePage(`docs/api/${short}.md`, [
  `# ${found.name}`,
  '',
  `Layer \`${found.layer}\`, door \`${found.door}\`, ${rows.length} names.`,
  '',
  ...table(['name', 'kind', 'what it is'], rows),
]);

/** The names of a door and the files they come from. */
function exportsOf(door) {
  const names = [];
  for (const statement of parse(door).statements) {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause) continue;
    if (!ts.isNamedExports(statement.exportClause)) continue;
    const from = statement.moduleSpecifier?.text;
    const file = from === undefined ? door : join(dirname(door), from);
    for (const element of statement.exportClause.elements)
      names.push({ name: (element.propertyName ?? element.name).text, file });
  }
  return names.sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

function declarationOf(name, file) {
  if (!existsSync(file)) return undefined;
  return parse(file).statements.find((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.some((each) => each.name.getText() === name);
    return statement.name?.text === name;
  });
}

function kindOf(declaration) {
  if (declaration === undefined) return '';
  if (ts.isFunctionDeclaration(declaration)) return 'function';
  if (ts.isClassDeclaration(declaration)) return 'class';
  if (ts.isInterfaceDeclaration(declaration)) return 'interface';
  return ts.isTypeAliasDeclaration(declaration) ? 'type' : 'value';
}

function firstSentence(declaration) {
  const docs = declaration === undefined ? [] : ts.getJSDocCommentsAndTags(declaration);
  const text = docs.map((each) => ts.getTextOfJSDocComment(each.comment) ?? '').join(' ');
  return /^[\s\S]*?[.:;](?=\s|$)/.exec(text)?.[0].replace(/[:;]$/, '.') ?? text;
}

function parse(file) {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
}
