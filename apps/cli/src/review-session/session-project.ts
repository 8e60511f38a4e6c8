import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { AppError } from '@switchyard/protocol';

/** A project with a specification, and where the files of the session of one task lie in it; all relative to the root. */
export interface SessionProject {
  /** Real path. */
  readonly root: string;
  readonly taskId: string;
  readonly specs: string;
  readonly tasks: string;
  readonly plan: string;
  readonly state: string;
  readonly stateBackup: string;
  readonly results: string;
  readonly archives: string;
  readonly lock: string;
  readonly report: string;
  readonly reportBackup: string;
  readonly tasksBackup: string;
}

/** Where a project may keep a template of its own. */
export const usualTemplate = 'sunnycore/qa/templates/review-tmpl.yaml';
/** Folders of what sessions read and write; what lies there is not under review. */
export const ownFolders = [
  'docs/specs/',
  'docs/implementation-plan/',
  'docs/review-session/',
  'docs/review-results/',
  'sunnycore/',
] as const;

/**
 * Finds the project around a folder: the nearest with `docs/specs`, not above the repository. Throws AppError E_USAGE,
 * E_SESSION_SPEC.
 */
export function findSessionProject(from: string, taskId: string): SessionProject {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(taskId))
    throw new AppError(
      'E_USAGE',
      `${JSON.stringify(taskId)} is no number of a task, such as 3; it names files`,
    );
  const start = resolve(from);
  for (let folder = start; ; folder = dirname(folder)) {
    if (statSync(join(folder, 'docs/specs'), { throwIfNoEntry: false })?.isDirectory() === true)
      return projectAt(realpathSync(folder), taskId);
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) break;
  }
  throw new AppError(
    'E_SESSION_SPEC',
    `there is no docs/specs in ${start} or above it; a session needs docs/specs/, docs/specs/task.md and docs/implementation-plan/${taskId}-plan.md`,
  );
}

function projectAt(root: string, taskId: string): SessionProject {
  const sessions = 'docs/review-session';
  return {
    root,
    taskId,
    specs: 'docs/specs',
    tasks: 'docs/specs/task.md',
    plan: `docs/implementation-plan/${taskId}-plan.md`,
    state: `${sessions}/${taskId}-session-state.yaml`,
    stateBackup: `${sessions}/${taskId}-session-state.backup.yaml`,
    results: `${sessions}/${taskId}-results`,
    archives: `${sessions}/archive`,
    lock: `${sessions}/.${taskId}-session.lock`,
    report: `docs/review-results/${taskId}-review.md`,
    reportBackup: `${sessions}/${taskId}-review.backup.md`,
    tasksBackup: `${sessions}/${taskId}-task.backup.md`,
  };
}

/**
 * The place of a file of the project, for reading or writing. Throws AppError E_OUTSIDE_WORKSPACE where a link on its way
 * or in its place leads elsewhere: a session writes inside its project only.
 */
export function insideProject({ root }: SessionProject, path: string): string {
  let place = root;
  for (const part of path.split('/')) {
    place = join(place, part);
    const stat = lstatSync(place, { throwIfNoEntry: false });
    if (stat === undefined) break;
    if (!stat.isSymbolicLink()) continue;
    throw new AppError(
      'E_OUTSIDE_WORKSPACE',
      `${place.slice(root.length + 1)} is a link; a session follows none, so that nothing outside ${root} is read or written`,
    );
  }
  const file = join(root, path);
  if (!file.startsWith(root + sep))
    throw new AppError('E_OUTSIDE_WORKSPACE', `${path} leads out of the project ${root}`);
  return file;
}
