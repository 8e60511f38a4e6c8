import { folderProjects } from './folder-projects.ts';
import { importedNames } from './imports.ts';
import {
  jsonOf,
  neededBy,
  readPackage,
  readProject,
  type PackageFile,
  type ProjectFile,
} from './manifest.ts';
import { isWithin, ownEntries } from './own-entries.ts';
import { checkScripts, packageManagerOf } from './package-manager.ts';
import type { Project, ProjectGraph, RepositoryFiles } from './project.ts';
import { matchingFolders } from './workspace-globs.ts';
import { parse } from 'yaml';

/** What a repository is made of: its Nx projects, else the packages of its workspaces, else its folders. */
export function readProjects(files: RepositoryFiles): ProjectGraph {
  const isNx = files.paths.includes('nx.json');
  const found = [...(isNx ? nxProjects(files) : []), ...workspacePackages(files)];
  const parts = withoutDoubles(found);
  if (parts.length === 0) return folderProjects(files);
  return { kind: isNx ? 'nx' : 'workspaces', ...graphOf(parts, files) };
}

/** A project before its place in the graph is known. */
interface Part {
  readonly name: string;
  readonly root: string;
  readonly package?: PackageFile | undefined;
  readonly project?: ProjectFile | undefined;
}

function nxProjects(files: RepositoryFiles): Part[] {
  return files.paths
    .filter((path) => path.endsWith('/project.json'))
    .map((path) => {
      const root = path.slice(0, -'/project.json'.length);
      const project = readProject(files, path);
      const file = readPackage(files, `${root}/package.json`);
      return { name: project?.name ?? file?.name ?? root, root, project, package: file };
    });
}

function workspacePackages(files: RepositoryFiles): Part[] {
  const patterns = workspacePatterns(files);
  const folders = files.paths
    .filter((path) => path.endsWith('/package.json'))
    .map((path) => path.slice(0, -'/package.json'.length));
  return matchingFolders(folders, patterns).map((root) => {
    const file = readPackage(files, `${root}/package.json`);
    return { name: file?.name ?? root, root, package: file };
  });
}

function workspacePatterns(files: RepositoryFiles): string[] {
  const own = readPackage(files, 'package.json')?.workspaces ?? [];
  const text = files.text('pnpm-workspace.yaml');
  if (text === undefined) return own;
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    // What pnpm cannot read names no packages.
    return own;
  }
  const packages = typeof value === 'object' && value !== null && 'packages' in value ? value.packages : [];
  return [...own, ...(Array.isArray(packages) ? packages.map(String) : [])];
}

/** One project a folder and one a name. */
function withoutDoubles(parts: readonly Part[]): Part[] {
  const kept = new Map<string, Part>();
  for (const part of parts) if (!kept.has(part.root)) kept.set(part.root, part);
  const names = [...kept.values()].map(({ name }) => name);
  return [...kept.values()]
    .map((part) =>
      names.filter((name) => name === part.name).length > 1 ? { ...part, name: part.root } : part,
    )
    .toSorted((a, b) => (a.root < b.root ? -1 : 1));
}

function graphOf(parts: readonly Part[], files: RepositoryFiles): Pick<ProjectGraph, 'projects' | 'notes'> {
  const roots = parts.map(({ root }) => root);
  const manager = packageManagerOf(files);
  const aliases = new Map([...parts.flatMap(packageNames), ...pathAliases(parts, files)]);
  const projects = parts.map((part): Project => {
    const imports = files.paths.includes('nx.json') ? importedNames(part.root, roots, files) : [];
    const needed = [...(part.package === undefined ? [] : neededBy(part.package)), ...imports];
    const named = [
      ...needed.flatMap((name) => targetOf(name, aliases)),
      ...(part.project?.implicitDependencies ?? []),
    ];
    const known = named.filter((name) => name !== part.name && parts.some((other) => other.name === name));
    const scripts = checkScripts(part.package?.scripts).map((script) => manager.at(part.root, script));
    const targets = checkScripts(asScripts(part.project?.targets)).map(
      (target) => `npx nx run ${part.name}:${target}`,
    );
    return {
      name: part.name,
      root: part.root,
      workspace: ownEntries(part.root, roots, files.paths),
      dependsOn: [...new Set(known)].toSorted(),
      checks: targets.length > 0 ? targets : scripts,
    };
  });
  const loose = looseFolders(roots, files);
  const notes =
    loose.length === 0 ? [] : [`no project holds ${loose.slice(0, 10).join(', ')}: no task may write there`];
  return { projects: projects.filter(({ workspace }) => workspace.length > 0), notes };
}

function asScripts(targets: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.keys(targets ?? {}).map((name) => [name, name]));
}

function packageNames(part: Part): [string, string][] {
  return part.package?.name === undefined ? [] : [[part.package.name, part.name]];
}

/** The names by which projects of an Nx repository import each other: `paths` of its root tsconfig. */
function pathAliases(parts: readonly Part[], files: RepositoryFiles): [string, string][] {
  const texts = ['tsconfig.base.json', 'tsconfig.json'].map((path) => jsonOf(files.text(path)));
  return texts
    .flatMap((value) => Object.entries(pathsIn(value)))
    .flatMap(([alias, places]) => {
      const place = Array.isArray(places) ? String(places[0]).replace(/^\.\//, '') : '';
      const owner = parts.find(({ root }) => isWithin(root, place));
      return owner === undefined ? [] : [[alias.replace(/\/\*$/, ''), owner.name] satisfies [string, string]];
    });
}

function pathsIn(value: unknown): Record<string, unknown> {
  const options =
    typeof value === 'object' && value !== null && 'compilerOptions' in value ? value.compilerOptions : {};
  const paths = typeof options === 'object' && options !== null && 'paths' in options ? options.paths : {};
  return typeof paths === 'object' && paths !== null ? { ...paths } : {};
}

/** The project that a name stands for: of the package itself, or of something in it. */
function targetOf(name: string, aliases: ReadonlyMap<string, string>): string[] {
  for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('/')))) {
    const target = aliases.get(part);
    if (target !== undefined) return [target];
  }
  return [];
}

function looseFolders(roots: readonly string[], { paths }: RepositoryFiles): string[] {
  const tops = new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/', 1).join('')));
  return [...tops].filter(
    (top) => !top.startsWith('.') && !roots.some((root) => root === top || isWithin(top, root)),
  );
}
