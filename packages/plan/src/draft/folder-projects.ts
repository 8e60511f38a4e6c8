import { readPackage } from './manifest.ts';
import type { Project, ProjectGraph, RepositoryFiles } from './project.ts';

/** Folders that build on the code beside them. */
const last = /^(__tests__|tests?|spec|specs|e2e|docs?|examples?)$/i;
const sources = ['src', 'lib', 'app'] as const;

/** The folders of a repository that says nothing of projects: those of its source folder, and those beside it. */
export function folderProjects(files: RepositoryFiles): ProjectGraph {
  const tops = foldersIn('.', files.paths).filter((name) => !name.startsWith('.'));
  const split = sources.find((name) => tops.includes(name) && foldersIn(name, files.paths).length > 1);
  const inner = split === undefined ? [] : foldersIn(split, files.paths).map((name) => `${split}/${name}`);
  const roots = [...inner, ...tops.filter((name) => name !== split)];
  const code = roots.filter((root) => !last.test(root));
  const loose = split === undefined ? [] : looseFiles(split, files.paths);
  const single = { name: 'all', root: '.', workspace: ['.'], dependsOn: [], checks: [] };
  if (roots.length === 0)
    return {
      kind: 'folders',
      projects: [single],
      notes: ['the repository has no folders: one task has all of it'],
    };
  const of = (root: string): Project => ({
    name: root,
    root,
    workspace: [root],
    dependsOn: last.test(root) ? code : [],
    checks: [],
  });
  const wiring: Project[] =
    split === undefined || loose.length === 0
      ? []
      : [{ name: split, root: split, workspace: loose, dependsOn: inner, checks: [] }];
  const notes =
    readPackage(files, 'package.json') === undefined
      ? ['dependencies between folders are not known: only tests and documentation wait for the rest']
      : ['dependencies between folders are not known: only what lies beside them waits for the rest'];
  return { kind: 'folders', projects: [...roots.map(of), ...wiring], notes };
}

function foldersIn(folder: string, paths: readonly string[]): string[] {
  const prefix = folder === '.' ? '' : `${folder}/`;
  const inside = paths.filter((path) => path.startsWith(prefix) && path.slice(prefix.length).includes('/'));
  return [...new Set(inside.map((path) => path.slice(prefix.length).split('/', 1).join('')))].toSorted();
}

function looseFiles(folder: string, paths: readonly string[]): string[] {
  const inside = paths.filter((path) => path.startsWith(`${folder}/`));
  return inside.filter((path) => !path.slice(folder.length + 1).includes('/')).slice(0, 100);
}
