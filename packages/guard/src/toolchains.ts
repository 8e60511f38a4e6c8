import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

/** A folder of programs outside the system folders that commands may read, or may not. */
export interface Toolchain {
  readonly name: string;
  /** Folders that are mounted read-only, or that stay invisible. */
  readonly folders: readonly string[];
  /** What it adds to PATH inside. */
  readonly searchPath: readonly string[];
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

/** Version managers: only the folders with programs, never those with credentials or settings. */
const versionManagers: readonly { name: string; folders: readonly string[]; bins: readonly string[] }[] = [
  { name: 'nvm', folders: ['.nvm/versions'], bins: [] },
  { name: 'fnm', folders: ['.local/share/fnm/node-versions', '.fnm/node-versions'], bins: [] },
  { name: 'n', folders: ['n'], bins: ['n/bin'] },
  { name: 'volta', folders: ['.volta/bin', '.volta/tools'], bins: ['.volta/bin'] },
  { name: 'pyenv', folders: ['.pyenv'], bins: ['.pyenv/shims', '.pyenv/bin'] },
  { name: 'rbenv', folders: ['.rbenv'], bins: ['.rbenv/shims', '.rbenv/bin'] },
  { name: 'rust', folders: ['.cargo/bin', '.rustup/toolchains'], bins: ['.cargo/bin'] },
  { name: 'go', folders: ['go/bin'], bins: ['go/bin'] },
  {
    name: 'asdf',
    folders: ['.asdf/bin', '.asdf/shims', '.asdf/installs'],
    bins: ['.asdf/shims', '.asdf/bin'],
  },
  {
    name: 'mise',
    folders: ['.local/share/mise/installs', '.local/share/mise/shims'],
    bins: ['.local/share/mise/shims'],
  },
  { name: 'sdkman', folders: ['.sdkman/candidates'], bins: [] },
  { name: 'bun', folders: ['.bun/bin'], bins: ['.bun/bin'] },
  { name: 'deno', folders: ['.deno/bin'], bins: ['.deno/bin'] },
];

/** All toolchains of this machine that the daemon can reach, with what commands see of them. */
export function toolchains(options: ToolchainOptions = {}): Toolchain[] {
  const home = options.home ?? homedir();
  const entries = searchEntries(options.searchPath);
  const found = [nodeToolchain(options.nodePath ?? process.execPath, home)];
  for (const manager of versionManagers) {
    const folders = manager.folders.map((folder) => join(home, folder)).filter(isFolder);
    if (folders.length === 0) continue;
    const known = entries.filter((entry) => folders.some((folder) => isBelow(entry, folder)));
    const bins = manager.bins.map((bin) => join(home, bin)).filter(isFolder);
    found.push({
      name: manager.name,
      folders,
      searchPath: options.searchPath === undefined ? bins : known,
      visible: true,
    });
  }
  for (const entry of entries) {
    if (isSystem(entry) || found.some((tool) => tool.folders.some((folder) => isBelow(entry, folder))))
      continue;
    found.push(otherEntry(entry, home));
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
          ...searchEntries(searchPath).filter((entry) => isSystem(entry) || visible.includes(entry)),
          ...visible,
        ];
  return [...new Set([...order, ...systemSearchPath])].filter(isFolder).join(':');
}

/** The folder above `bin`, unless that is the home folder or holds it: then only the folder of the program. */
function nodeToolchain(nodePath: string, home: string): Toolchain {
  const program = realpathSync(nodePath);
  const bin = dirname(program);
  const prefix = dirname(bin);
  const folder = prefix === '/' || isBelow(home, prefix) ? bin : prefix;
  return { name: 'node', folders: isSystem(folder) ? [] : [folder], searchPath: [bin], visible: true };
}

function otherEntry(entry: string, home: string): Toolchain {
  const optional = /^\/(?:opt|snap|nix|gnu|run\/current-system)(?:\/[^/]+)?/.exec(entry);
  if (optional !== null) return { name: entry, folders: [optional[0]], searchPath: [entry], visible: true };
  const place = isBelow(entry, home) ? 'in the home folder' : 'outside the system folders';
  return {
    name: entry,
    folders: [entry],
    searchPath: [],
    visible: false,
    reason: `on PATH, ${place}, and of no version manager that is known to keep no secrets there`,
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
