import ts from 'typescript';
import type { Tree } from './tree.ts';

/** One import or re-export of a file. */
export interface ImportEdge {
  readonly specifier: string;
  readonly line: number;
}

const parsed = new Map<string, ts.SourceFile>();

/** Parses a file, once for each text. */
export function parse(path: string, text: string): ts.SourceFile {
  const key = `${path}\0${text}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  parsed.set(key, file);
  return file;
}

/** The TypeScript files of a tree, parsed. */
export function* sources(tree: Tree, wanted: RegExp = /./): Generator<readonly [string, ts.SourceFile]> {
  for (const [path, text] of tree)
    if (path.endsWith('.ts') && wanted.test(path)) yield [path, parse(path, text)] as const;
}

/** Calls back with every node of a file. */
export function visit(node: ts.Node, callback: (node: ts.Node) => void): void {
  callback(node);
  ts.forEachChild(node, (child) => visit(child, callback));
}

/** 1-based line of a node. */
export function lineOf(file: ts.SourceFile, node: ts.Node): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** Everything a file imports or re-exports: statically, by `import()`, and in types. */
export function importsOf(file: ts.SourceFile): ImportEdge[] {
  const edges: ImportEdge[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node))
      edges.push({ specifier: node.text, line: lineOf(file, node) });
  };
  visit(file, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
  });
  return edges;
}
