import { AppError } from '@switchyard/protocol';

/** The lock that stopped git, by what git said. */
export function lockIn(stderr: string): string | undefined {
  return /Unable to create '(.+\.lock)': File exists/.exec(stderr)?.[1];
}

/** Git works in this checkout, or was killed in it: whose lock it is cannot be told, so it is the user's to remove. */
export function lockedError(lock: string | undefined): AppError | undefined {
  if (lock === undefined) return undefined;
  return new AppError(
    'E_APPLY_DIRTY',
    `git is at work in your checkout, or was killed there, and nothing was applied: it holds ${lock}. If no git runs, remove that file and apply again`,
    { details: { paths: [] } },
  );
}
