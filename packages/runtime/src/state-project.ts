import { readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { AppError, messageOf } from '@switchyard/protocol';
import type { StateFolder } from './state-folder.ts';

type ProjectPlace = Pick<StateFolder, 'root' | 'projectFile'>;

/** The git directory of the repository that a state folder serves; undefined: nobody has said so yet. Throws E_STORAGE. */
export function readProject({ projectFile }: ProjectPlace): string | undefined {
  let text: string;
  try {
    text = readFileSync(projectFile, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('E_STORAGE', `${projectFile} cannot be read: ${messageOf(cause)}`, { cause });
  }
  return gitDirIn(text);
}

/** Throws AppError E_STATE_FOREIGN for the state folder of another repository. */
export function requireProject(place: ProjectPlace, gitCommonDir: string): void {
  const theirs = readProject(place);
  if (theirs === undefined || theirs === realpathSync(gitCommonDir)) return;
  throw new AppError(
    'E_STATE_FOREIGN',
    `the state folder ${place.root} is of another repository, ${theirs}; name another folder, or, if that repository was moved here, remove ${place.projectFile}`,
  );
}

/**
 * Binds a state folder to a repository, once; the caller holds the folder's lock. Throws AppError E_STATE_FOREIGN,
 * E_STORAGE.
 */
export function claimProject(place: ProjectPlace, gitCommonDir: string): void {
  requireProject(place, gitCommonDir);
  if (readProject(place) !== undefined) return;
  const temporary = `${place.projectFile}.new`;
  try {
    writeFileSync(temporary, `${JSON.stringify({ gitDir: realpathSync(gitCommonDir) })}\n`, { mode: 0o600 });
    renameSync(temporary, place.projectFile);
  } catch (cause) {
    throw new AppError('E_STORAGE', `${place.projectFile} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** Half a file of a crash says nothing. */
function gitDirIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isProject = typeof value === 'object' && value !== null && 'gitDir' in value;
    return isProject && typeof value.gitDir === 'string' ? value.gitDir : undefined;
  } catch {
    return undefined;
  }
}
