import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { versionManagers, type VersionManager } from './version-managers.ts';

/** A folder of programs outside the system folders that commands may read, or may not. */
export interface Toolchain {
  readonly name: string;
  /** Folders that are mounted read-only, or that stay invisible. */
  readonly folders: readonly string[];
  /** Single files, mounted read-only, in folders of which the rest is not seen. */
  readonly files: readonly string[];
  /** What it adds to PATH inside. */
  readonly searchPath: readonly string[];
  /** What its programs need to be told, since they do not find it below the home folder inside. */
  readonly env: Readonly<Record<string, string>>;
  readonly visible: boolean;
  /** Why it stays invisible. */
  readonly reason?: string;
}

export interface ToolchainOptions {
  /** PATH of the daemon; absent: version managers of the home folder that exist, behind the system folders. */
  readonly searchPath?: string | undefined;
  readonly home?: string;
  /** The running Node. */
  readonly nodePath?: string;
}

/** Folders that every command sees. */
export const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/lib32', '/libx32'] as const;

const systemSearchPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** All toolchains of this machine that the daemon can reach, with what commands see of them. */
export function toolchains(options: ToolchainOptions = {}): Toolchain[] {
  const home = options.home ?? homedir();
  const entries = searchEntries(options.searchPath);
  const managers = versionManagers.map((manager) => managerAt(manager, home)).filter(isThere);
  const found = [
    nodeToolchain(options.nodePath ?? process.execPath, home),
    ...managers.map((manager) =>
      asToolchain(manager, options.searchPath === undefined ? undefined : entries),
    ),
  ];
  for (const entry of entries) {
    if (isSystem(entry) || found.some((tool) => tool.searchPath.includes(entry) && !isPartial(tool, entry)))
      continue;
    if (found.some((tool) => tool.folders.some((folder) => isBelow(placeOf(entry), folder)))) continue;
    found.push(otherEntry(entry, { home, found }));
  }
  return found;
}

/** PATH inside: the daemon's order where it is known, else the system folders and then the toolchains. */
export function searchPathInside(found: readonly Toolchain[], searchPath: string | undefined): string {
  const [node] = found;
  const visible = found.filter((tool) => tool.visible).flatMap((tool) => tool.searchPath);
  const order =
    searchPath === undefined
      ? [...(node?.searchPath ?? []), ...systemSearchPath, ...visible]
      : [
          ...searchEntries(searchPath).flatMap((entry) =>
            [entry, placeOf(entry)].filter((each) => isSystem(each) || visible.includes(each)).slice(0, 1),
          ),
          ...visible,
        ];
  return [...new Set([...order, ...systemSearchPath])].filter(isFolder).join(':');
}

/** What all toolchains need to be told. */
export function toolEnvironment(found: readonly Toolchain[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...found.filter((tool) => tool.visible).map((tool) => tool.env)) as Record<
    string,
    string
  >;
}

/** A manager with its paths where they are in this home folder, as far as they exist. */
function managerAt(
  manager: VersionManager,
  home: string,
): VersionManager & { readonly files: readonly string[] } {
  const at = (path: string): string => resolve(home, path);
  return {
    ...manager,
    folders: manager.folders.map(at).filter(isFolder),
    files: (manager.files ?? []).map(at).filter(isFile),
    bins: manager.bins.map(at).flatMap(matching),
    env: Object.fromEntries(
      Object.entries(manager.env ?? {}).map(([name, path]) => [name, path === '/' ? path : at(path)]),
    ),
  };
}

function isThere({ folders, files = [] }: VersionManager): boolean {
  return folders.length + files.length > 0;
}

/** `entries`: those of the daemon's PATH; undefined where it is not known. */
function asToolchain(
  { name, folders, files = [], bins, env = {} }: VersionManager,
  entries: readonly string[] | undefined,
): Toolchain {
  const isOurs = (entry: string): boolean =>
    folders.some((folder) => isBelow(entry, folder)) || files.some((file) => dirname(file) === entry);
  // An entry may be a link that a manager keeps elsewhere (fnm, one a shell): what it leads to is seen.
  const known = entries?.map((entry) => (isOurs(entry) ? entry : placeOf(entry))).filter(isOurs);
  const searchPath = known ?? [...bins, ...files.filter((file) => /\/bin\//.test(file)).map(dirname)];
  return { name, folders, files, searchPath: [...new Set(searchPath)], env, visible: true };
}

/** A folder of PATH of which only single files are seen. */
function isPartial(tool: Toolchain, entry: string): boolean {
  return !tool.folders.some((folder) => isBelow(entry, folder));
}

/** The folder above `bin`, unless that is the home folder or holds it: then only the folder of the program. */
function nodeToolchain(nodePath: string, home: string): Toolchain {
  const program = realpathSync(nodePath);
  const bin = dirname(program);
  const prefix = dirname(bin);
  const folder = prefix === '/' || isBelow(home, prefix) ? bin : prefix;
  const folders = isSystem(folder) ? [] : [folder];
  return { name: 'node', folders, files: [], searchPath: [bin], env: {}, visible: true };
}

function otherEntry(
  entry: string,
  { home, found }: { readonly home: string; readonly found: readonly Toolchain[] },
): Toolchain {
  const base = { name: entry, files: [], env: {} };
  const optional = /^\/(?:opt|snap|nix|gnu|run\/current-system)(?:\/[^/]+)?/.exec(entry);
  if (optional !== null) return { ...base, folders: [optional[0]], searchPath: [entry], visible: true };
  const place = isBelow(entry, home) ? 'in the home folder' : 'outside the system folders';
  const seen = found
    .flatMap(({ files }) => files.filter((file) => dirname(file) === entry))
    .map((file) => basename(file));
  const but = seen.length === 0 ? '' : `; of it only ${seen.join(', ')} can be seen`;
  return {
    ...base,
    folders: [entry],
    searchPath: [],
    visible: false,
    reason: `on PATH, ${place}, and of no version manager that is known to keep no secrets there${but}`,
  };
}

function searchEntries(searchPath: string | undefined): string[] {
  if (searchPath === undefined) return [];
  const entries = searchPath.split(delimiter).filter((entry) => entry.startsWith('/'));
  return [...new Set(entries.map((entry) => resolve(entry)))].filter(isFolder);
}

function isSystem(path: string): boolean {
  return systemFolders.some((folder) => isBelow(path, folder));
}

/** Whether `path` is `folder` or lies beneath it, by name. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** Where a path leads. */
function placeOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** The folders that a path with one `*` in it names. */
function matching(pattern: string): string[] {
  const [before, after] = pattern.split('*');
  if (before === undefined || after === undefined) return isFolder(pattern) ? [pattern] : [];
  if (!isFolder(before)) return [];
  return readdirSync(before)
    .sort()
    .map((name) => join(before, name, after))
    .filter(isFolder);
}
