import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { readRoomodes, type Mode, type ModeProblem } from '@switchyard/agents';
import { AppError, messageOf } from '@switchyard/protocol';
import type { CommandContext } from './context.ts';

const fileName = '.roomodes';

/** Custom modes and what is wrong with their file. */
export interface FoundModes {
  readonly modes: readonly Mode[];
  readonly problems: readonly ModeProblem[];
  /** As the user may name it; absent: there is no such file. */
  readonly file: string | undefined;
}

/**
 * The custom modes of a named file, or of the `.roomodes` at the root of the repository that holds the current folder.
 * Throws AppError E_USAGE for a named file that cannot be read.
 */
export function findRoomodes(named: string | undefined, { cwd }: CommandContext): FoundModes {
  const file = named === undefined ? join(rootOf(cwd), fileName) : resolve(cwd, named);
  if (named === undefined && !existsSync(file)) return { modes: [], problems: [], file: undefined };
  const shown = relative(cwd, file) || fileName;
  try {
    return { ...readRoomodes(readFileSync(file, 'utf8'), shown), file: shown };
  } catch (cause) {
    throw new AppError('E_USAGE', `${shown} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** The nearest folder upward that git calls a repository; else the folder itself. */
function rootOf(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return folder;
  }
}
