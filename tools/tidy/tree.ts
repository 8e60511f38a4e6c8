import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The files that the rules look at: path from the root, `/` separated, to text. */
export type Tree = ReadonlyMap<string, string>;

/** One place where the house style is broken. */
export interface Problem {
  readonly path: string;
  /** 1-based; 1 where the whole file is meant. */
  readonly line: number;
  readonly text: string;
}

/** A rule is a function over a tree, so that a test can also feed it a broken one. */
export type Rule = (tree: Tree) => Problem[];

const skipped = new Set(['node_modules', '.git', '.nx', 'coverage', 'dist', 'fixtures']);
const readable = /\.(ts|mts|mjs|js|json|ya?ml|md|sql|svg)$|(^|\/)(\.[\w.-]+|run|LICENSE)$/;

/** Reads a checkout: its text files, without dependencies, fixtures and what tools make. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skipped.has(entry.name)) walk(path);
      else if (entry.isFile() && readable.test(path))
        tree.set(relative(root, path), readFileSync(path, 'utf8'));
    }
  };
  walk(root);
  return tree;
}

/** One line for people. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, line, text }) => `${path}:${line} ${text}`).join('\n');
}
