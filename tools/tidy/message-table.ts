import ts from 'typescript';
import { lineOf, parse, sources, visit } from './source.ts';
import type { Problem, Rule, Tree } from './tree.ts';

const registryPath = 'packages/protocol/src/registry.ts';
const speakers = /^(apps\/[^/]+|packages\/(client|transport|peer))\/src\//;
const sending = new Set(['send', 'request', 'ask']);

/** The message table is closed: nobody names a type that it does not have, and nothing in it is dead. */
export const messageTable: Rule = (tree) => {
  const table = typesOf(tree);
  const spoken = new Set<string>();
  const problems: Problem[] = [];
  for (const [path, file] of sources(tree, speakers)) {
    visit(file, (node) => {
      if (isName(node)) spoken.add(node.text);
      for (const type of typesSent(node))
        if (!table.has(type.text))
          problems.push({ path, line: lineOf(file, type), text: `the message table has no ${type.text}` });
    });
  }
  for (const [type, line] of table)
    if (!spoken.has(type))
      problems.push({ path: registryPath, line, text: `nobody sends or handles ${type}` });
  return problems;
};

/** The keys of the table with their lines. */
function typesOf(tree: Tree): Map<string, number> {
  const file = parse(registryPath, tree.get(registryPath) ?? '');
  const types = new Map<string, number>();
  visit(file, (node) => {
    if (!ts.isVariableDeclaration(node) || node.name.getText() !== 'registry') return;
    visit(node, (part) => {
      if (ts.isPropertyAssignment(part) && ts.isCallExpression(part.initializer) && isName(part.name))
        types.set(part.name.text, lineOf(file, part));
    });
  });
  return types;
}

function isName(node: ts.Node): node is ts.StringLiteral | ts.Identifier {
  return ts.isStringLiteral(node) || ts.isIdentifier(node);
}

/** In `link.send('type', …)` and `hub.send(peer, 'type', …)`: the first text among the first two arguments. */
function typesSent(node: ts.Node): ts.StringLiteral[] {
  if (!ts.isCallExpression(node) || !sending.has(calledName(node.expression))) return [];
  const first = node.arguments.slice(0, 2).find((each) => ts.isStringLiteral(each));
  return first !== undefined && ts.isStringLiteral(first) && /^[a-z]+(-[a-z]+)*$/.test(first.text)
    ? [first]
    : [];
}

function calledName(callee: ts.Expression): string {
  if (ts.isPropertyAccessExpression(callee)) return callee.name.text;
  return ts.isIdentifier(callee) ? callee.text : '';
}
