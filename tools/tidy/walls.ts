import ts from 'typescript';
import { lineOf, sources, visit } from './source.ts';
import type { Problem, Rule } from './tree.ts';

/** STYLE: the walls, not the targets. */
export const wallSizes = { fileLinesMax: 400, functionLinesMax: 70, parametersMax: 4 } as const;

/** No file over 400 lines, no function over 70, three parameters and then an options object. */
export const walls: Rule = (tree) => {
  const problems: Problem[] = [];
  for (const [path, text] of tree) {
    if (!/\.(ts|mjs)$/.test(path)) continue;
    const lines = text.split('\n').length - 1;
    if (lines > wallSizes.fileLinesMax)
      problems.push({ path, line: 1, text: `${lines} lines, over ${wallSizes.fileLinesMax}` });
  }
  for (const [path, file] of sources(tree)) {
    const isTest = /(^|\/)test\//.test(path);
    visit(file, (node) => {
      if (ts.isFunctionLike(node)) problems.push(...wallsOf(node, { path, file, isTest }));
    });
  }
  return problems;
};

interface Place {
  readonly path: string;
  readonly file: ts.SourceFile;
  readonly isTest: boolean;
}

function wallsOf(node: ts.SignatureDeclaration, { path, file, isTest }: Place): Problem[] {
  const problems: Problem[] = [];
  const line = lineOf(file, node);
  const last = file.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
  if (last - line >= wallSizes.functionLinesMax && !(isTest && isSuite(node)))
    problems.push({
      path,
      line,
      text: `a function of ${last - line + 1} lines, over ${wallSizes.functionLinesMax}`,
    });
  const { length } = node.parameters;
  if (!isTest && length > wallSizes.parametersMax)
    problems.push({ path, line, text: `${length} parameters; after three, take an options object` });
  return problems;
}

/** What holds tests is a list, not a function to read. */
function isSuite(node: ts.SignatureDeclaration): boolean {
  let holdsTests = false;
  visit(node, (part) => {
    if (ts.isCallExpression(part) && /^(describe|it|test)\b/.test(part.expression.getText()))
      holdsTests = true;
  });
  return holdsTests;
}
