import type { ProblemText } from './problem.ts';

/** A path as plans keep it, or what is wrong with it. */
export type PathCheck =
  { readonly kind: 'ok'; readonly path: string } | { readonly kind: 'wrong'; readonly text: ProblemText };

/** Control characters: no sane file name has them, and they would forge lines of logs. */
const control = /\p{Cc}/u;

/**
 * Checks a path of a plan and normalizes it: relative to the repository root, `/` separated, no `.` or `..` left,
 * no slash at the end, `.` for the root. `what` names it in the message, for example `Workspace of task A`.
 */
export function checkPath(written: string, what: string, options: { pattern?: boolean } = {}): PathCheck {
  const shown = JSON.stringify(written);
  if (written.trim() === '' || control.test(written))
    return wrong(
      'PLAN_PATH_INVALID',
      `${what} ${shown} is not a usable path`,
      'write a path relative to the root of the repository, or "." for all of it',
    );
  if (/^(\/|~(\/|$)|[A-Za-z]:)/.test(written))
    return wrong(
      'PLAN_PATH_ABSOLUTE',
      `${what} ${shown} is an absolute path`,
      'write it relative to the root of the repository, for example src/auth',
    );
  if (written.includes('\\'))
    return wrong(
      'PLAN_PATH_INVALID',
      `${what} ${shown} has a backslash`,
      `write ${JSON.stringify(written.replaceAll('\\', '/'))}`,
    );
  if (written.includes('*') && options.pattern !== true)
    return wrong(
      'PLAN_PATH_PATTERN',
      `${what} ${shown} is a pattern`,
      `name the folder: ${JSON.stringify(folderOf(written))}`,
    );
  return normalized(written, what);
}

function normalized(written: string, what: string): PathCheck {
  const parts: string[] = [];
  for (const part of written.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      return wrong(
        'PLAN_PATH_OUTSIDE',
        `${what} ${JSON.stringify(written)} leaves the repository`,
        'a path may not go above the root of the repository with ".."',
      );
  }
  if (parts.some((part) => part.toLowerCase() === '.git'))
    return wrong(
      'PLAN_PATH_GIT',
      `${what} ${JSON.stringify(written)} lies in .git`,
      'no task may touch what git keeps; name files of the checkout',
    );
  return { kind: 'ok', path: parts.length === 0 ? '.' : parts.join('/') };
}

function folderOf(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => part.includes('*'));
  return parts.slice(0, first).join('/') || '.';
}

function wrong(code: ProblemText['code'], message: string, fix: string): PathCheck {
  return { kind: 'wrong', text: { code, message, fix } };
}
