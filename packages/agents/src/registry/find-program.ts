import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path';

export interface ProgramSearch {
  /** Folders of the operator's that agents were installed in (`npm install --prefix FOLDER …`). */
  readonly folders: readonly string[];
  /** PATH of the daemon. */
  readonly searchPath: string | undefined;
  /** The operator's home: no part of it is shown as a whole. */
  readonly home: string;
}

export interface FoundProgram {
  readonly path: string;
  /** What a sandbox has to show for it to run. */
  readonly folders: readonly string[];
}

/** Where a program is; the agent folders come before PATH. Nothing if it is nowhere. */
export function findProgram(program: string, search: ProgramSearch): FoundProgram | undefined {
  for (const folder of search.folders) {
    const path = [
      join(folder, 'node_modules', '.bin', program),
      join(folder, 'bin', program),
      join(folder, program),
    ].find(isProgram);
    if (path !== undefined)
      return { path, folders: [realpathSync(folder), ...(folder === realpathSync(folder) ? [] : [folder])] };
  }
  const onPath = isAbsolute(program)
    ? [program]
    : (search.searchPath ?? '')
        .split(delimiter)
        .filter(isAbsolute)
        .map((folder) => join(folder, program));
  const path = onPath.find(isProgram);
  if (path === undefined) return undefined;
  const real = realpathSync(path);
  return { path: real, folders: shownFor(real, search.home) };
}

/** The packages around a script, else the folder of the program; nothing where that would show a home folder. */
function shownFor(path: string, home: string): string[] {
  const parts = path.split(sep);
  const at = parts.indexOf('node_modules');
  const folder = at > 0 ? parts.slice(0, at + 1).join(sep) : dirname(path);
  const isTooMuch = folder === sep || folder === home || home.startsWith(folder + sep);
  const isSystem = /^\/(?:usr|bin|sbin|lib)(?:\/|$)/.test(folder);
  return isTooMuch || isSystem ? [] : [folder];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Nothing is there, or nothing that we may run.
    return false;
  }
}
