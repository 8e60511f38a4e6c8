/** What an operation would be told, and by which rule, without doing it. */
import { closeSync, type Stats } from 'node:fs';
import type { ErrorCode } from '@switchyard/protocol';
import { asGuardError } from './guard-error.ts';
import { checkLexical } from './lexical.ts';
import { checkSize } from './file-content.ts';
import { checkFolder, checkReadable, checkRegular, type Scope } from './path-access.ts';
import { checkChange, checkWrite } from './path-changes.ts';
import { checkSlot } from './path-moves.ts';
import { allowedPaths, type Place } from './pinned-roots.ts';
import { openExisting } from './resolve.ts';

/** What somebody means to do with a path; `change` is for moving and removing. */
export type PathIntent = 'read' | 'list' | 'write' | 'edit' | 'change';

export interface Explanation {
  readonly allowed: boolean;
  /** `root` when allowed; else the rule that refuses, one for each error code. */
  readonly rule: PathRule;
  /** In words, with the path as it was asked for. */
  readonly reason: string;
  /** Only of a refusal. */
  readonly code?: ErrorCode;
  /** The roots that are allowed. */
  readonly roots: readonly string[];
}

/** The rules of the guard, in the order in which they are asked. */
const rules = {
  E_PATH_INVALID: 'lexical',
  E_WORKSPACE_MOVED: 'root-moved',
  E_OUTSIDE_WORKSPACE: 'outside',
  E_SYMLINK_LOOP: 'links',
  E_DANGLING_LINK: 'links',
  E_READ_ONLY: 'read-only-root',
  E_DENIED: 'denied',
  E_PROTECTED: 'protected',
  E_NOT_FOUND: 'not-found',
  E_IS_DIRECTORY: 'kind',
  E_NOT_REGULAR: 'kind',
  E_TOO_LARGE: 'limit',
  E_ACCESS: 'system',
  E_IO: 'system',
} as const satisfies Partial<Record<ErrorCode, string>>;

export type PathRule = 'root' | (typeof rules)[keyof typeof rules];

/** Asks the same checks as the operation itself; it tells no more of what is outside than they do. */
export function explainPath(scope: Scope, path: unknown, intent: PathIntent): Explanation {
  const roots = allowedPaths(scope.roots);
  try {
    const asked = checkLexical(path, { platform: 'linux', root: scope.roots[0]?.path ?? '/' });
    const { root } = checks[intent](scope, asked);
    return { allowed: true, rule: 'root', reason: `${JSON.stringify(asked)} is beneath ${root.path}`, roots };
  } catch (thrown) {
    const { code, message } = asGuardError(thrown, String(path));
    return { allowed: false, rule: ruleOf(code), reason: message, code, roots };
  }
}

function ruleOf(code: ErrorCode): PathRule {
  return Object.entries(rules).find(([known]) => known === code)?.[1] ?? 'system';
}

const checks: Readonly<Record<PathIntent, (scope: Scope, asked: string) => Place>> = {
  read: (scope, asked) =>
    checkThere(scope, asked, (stat) => checkSize(checkRegular(stat, asked).size, asked)),
  list: (scope, asked) => checkThere(scope, asked, (stat) => checkFolder(stat, asked)),
  write: checkWrite,
  edit: checkChange,
  change: checkSlot,
};

function checkThere(scope: Scope, asked: string, checkKind: (stat: Stats) => void): Place {
  const { descriptor, place, stat } = openExisting(scope, asked);
  try {
    checkReadable(scope, place, { asked, stat });
    checkKind(stat);
    return place;
  } finally {
    closeSync(descriptor);
  }
}
