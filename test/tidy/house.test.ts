import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { declaredImports, noCycles } from '../../tools/tidy/dependencies.ts';
import { doors } from '../../tools/tidy/doors.ts';
import { fileNames, forbidden } from '../../tools/tidy/forbidden.ts';
import { layers } from '../../tools/tidy/layers.ts';
import { messageTable } from '../../tools/tidy/message-table.ts';
import { formatProblems, readTree, type Rule } from '../../tools/tidy/tree.ts';
import { walls } from '../../tools/tidy/walls.ts';
import { lockFile, machinePaths, targets, topLevelNames } from '../../tools/tidy/workspace.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const tree = readTree(root);

const rules: Readonly<Record<string, Rule>> = {
  'imports and dependencies go down the layers': layers,
  'a package has one door, and what it offers is listed by name': doors,
  'what is imported is declared, and pure packages have no Node': declaredImports,
  'no file imports itself in a circle': noCycles,
  'files, functions and parameter lists stay inside the walls': walls,
  'nothing says what STYLE forbids': forbidden,
  'files are named by what they hold': fileNames,
  'the message table is closed': messageTable,
  'the top level holds what DESIGN.md lists': topLevelNames,
  'projects have the targets they need': targets,
  'the lock serves a fresh clone': lockFile,
  'no file names a place of this machine': machinePaths([root, homedir()]),
};

describe('this repository', () => {
  it('is there to be looked at', () => {
    expect(tree.size).toBeGreaterThan(200);
  });
  it.each(Object.entries(rules))('%s', (_name, rule) => {
    expect(formatProblems(rule(tree))).toBe('');
  });
});
