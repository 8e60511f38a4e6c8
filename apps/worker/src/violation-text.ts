import { AppError, type TaskAssignment } from '@switchyard/protocol';

/** Paths that an error names. */
const shownMax = 10;

/** What a commit of the attempt would hold and may not: E_WORKSPACE_VIOLATION, with the paths. */
export function notItsToChange(
  paths: readonly string[],
  { workspace }: Pick<TaskAssignment, 'workspace'>,
): AppError {
  const inside = paths.filter((path) => workspace.some((place) => isIn(path, place)));
  const outside = paths.filter((path) => !inside.includes(path));
  const said = [
    ...(outside.length === 0
      ? []
      : [`changed ${counted(outside)} outside its workspace (${workspace.join(', ')}): ${shown(outside)}`]),
    ...(inside.length === 0
      ? []
      : [
          `left ${counted(inside)} in its workspace that no commit may hold (a name that is no UTF-8 or means git's own folder, a repository, a link that leads out, or no plain file): ${shown(inside)}`,
        ]),
  ];
  return new AppError('E_WORKSPACE_VIOLATION', `the attempt ${said.join('; it ')}`, { details: { paths } });
}

function isIn(path: string, place: string): boolean {
  return place === '.' || path === place || path.startsWith(`${place}/`);
}

/** How many paths, in words. */
export function counted(paths: readonly string[]): string {
  return `${paths.length} ${paths.length === 1 ? 'path' : 'paths'}`;
}

/** The first of them, as one text. */
export function shown(paths: readonly string[]): string {
  return `${paths.slice(0, shownMax).join(', ')}${paths.length > shownMax ? ' …' : ''}`;
}
