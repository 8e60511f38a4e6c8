import ts from 'typescript';
import { lineOf, sources, visit } from './source.ts';
import type { Problem, Rule } from './tree.ts';

/** What a node says that nothing may say; where it may be said all the same. */
interface Ban {
  readonly text: string;
  readonly allowed?: RegExp;
  matches(node: ts.Node): boolean;
}

const bans: readonly Ban[] = [
  { text: 'any: nothing checks it', matches: (node) => node.kind === ts.SyntaxKind.AnyKeyword },
  {
    text: '`!` claims what nothing checks',
    matches: (node) =>
      ts.isNonNullExpression(node) ||
      ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) &&
        node.exclamationToken !== undefined),
  },
  {
    text: 'console is for the command line tool and for tools',
    allowed: /^(apps\/cli|tools)\//,
    matches: (node) => ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console',
  },
  {
    text: 'process.env is read in config.ts and handed down',
    allowed: /(^|\/)(config|main|environment)\.ts$|^tools\/|(^|\/)test\//,
    matches: (node) => ts.isPropertyAccessExpression(node) && node.getText() === 'process.env',
  },
];

const markers = /\b(TODO|FIXME|XXX|HACK)\b/;
const switchedOff = /@ts-(ignore|expect-error|nocheck)\b/;

/** What STYLE forbids in code and comments. */
export const forbidden: Rule = (tree) => {
  const problems: Problem[] = [];
  for (const [path, file] of sources(tree)) {
    const active = bans.filter(({ allowed }) => allowed?.test(path) !== true);
    visit(file, (node) => {
      for (const ban of active)
        if (ban.matches(node)) problems.push({ path, line: lineOf(file, node), text: ban.text });
    });
    problems.push(...inComments(path, file));
  }
  return problems;
};

function inComments(path: string, file: ts.SourceFile): Problem[] {
  return commentsOf(file).flatMap(({ line, text }) => {
    if (switchedOff.test(text)) return [{ path, line, text: 'a comment that switches the type check off' }];
    return markers.test(text) ? [{ path, line, text: 'a marker for later; do it, or file it' }] : [];
  });
}

/** Comments stand before tokens and at the ends of blocks: every gap between tokens is looked at. */
function commentsOf(file: ts.SourceFile): { line: number; text: string }[] {
  const found = new Map<number, { line: number; text: string }>();
  const text = file.getFullText();
  const collect = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? []) {
      const line = file.getLineAndCharacterOfPosition(pos).line + 1;
      found.set(pos, { line, text: text.slice(pos, end) });
    }
  };
  const walk = (node: ts.Node): void => {
    if (node.getChildCount(file) === 0 && !ts.isJsxText(node)) {
      collect(ts.getLeadingCommentRanges(text, node.getFullStart()));
      collect(ts.getTrailingCommentRanges(text, node.getEnd()));
    }
    for (const child of node.getChildren(file)) walk(child);
  };
  walk(file);
  return [...found.values()];
}

const emptyNames = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'types',
  'common',
  'misc',
  'shared',
  'constants',
]);

/** Files are named by what they hold, in kebab-case. */
export const fileNames: Rule = (tree) =>
  [...tree.keys()]
    .filter((path) => /^(packages|apps|tools|test)\/.*\.(ts|mts|mjs)$/.test(path))
    .flatMap((path) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const stem = name.slice(0, name.indexOf('.'));
      if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(ts|mts|mjs)$/.test(name))
        return [{ path, line: 1, text: 'a file name is kebab-case' }];
      return emptyNames.has(stem)
        ? [{ path, line: 1, text: `"${stem}" does not say what the file holds` }]
        : [];
    });
