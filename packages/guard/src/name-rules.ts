/** Which names are protected or denied. Pure: canonical paths in, answers out. */
import picomatch from 'picomatch';

/** Code points that some file systems drop from names, and variation selectors. */
const ignorable = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

function foldText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(ignorable, '')
    .replaceAll('i\u0307', 'i')
    .normalize('NFKC');
}

/** A name as the most forgiving file system would read it: `.GIT.`, `.g\u200cit` and `git~1` are all `.git`. */
export function foldName(name: string): string {
  const folded = foldText(name).replace(/[. ]+$/, '');
  if (/^git~\d$/.test(folded)) return '.git';
  return folded === '' ? name : folded;
}

const protectedFolders = new Set([
  '.vscode',
  '.idea',
  '.claude',
  '.cursor',
  '.codex',
  '.roo',
  '.devcontainer',
]);
const protectedFiles = new Set(
  (
    '.gitmodules .gitconfig .mcp.json .roomodes .rooignore .envrc .ripgreprc .inputrc ' +
    '.profile .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .kshrc .cshrc .tcshrc .login .logout ' +
    '.zshrc .zshenv .zprofile .zlogin .zlogout'
  ).split(' '),
);
/** Below `.git`: what can make git run code or read elsewhere. */
const protectedInGit = (
  'config config.worktree hooks modules worktrees commondir gitdir ' +
  'info/attributes objects/info/alternates objects/info/http-alternates'
).split(' ');

/** Whether a write at this path, relative to its root, could make the host run code. */
export function isProtected(relative: string): boolean {
  const names = relative.split('/').map(foldName);
  if (names.some((name) => protectedFolders.has(name))) return true;
  if (protectedFiles.has(names.at(-1) ?? '')) return true;
  return names.some((name, index) => name === '.git' && isProtectedInGit(names.slice(index + 1)));
}

function isProtectedInGit(below: readonly string[]): boolean {
  const path = below.join('/');
  return path === '' || protectedInGit.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

/** Whether anything beneath `.git`, which as a whole is neither moved nor removed. */
export function isInGit(relative: string): boolean {
  return relative.split('/').some((name) => foldName(name) === '.git');
}

/** Whether a path relative to its root is denied; everything beneath a denied folder is too. */
export type DenyRule = (relative: string) => boolean;

/** Compiles globs that are relative to a root, matched on folded names. */
export function denyRule(globs: readonly string[]): DenyRule {
  if (globs.length === 0) return () => false;
  const matchers = globs.map((glob) => picomatch(foldText(glob), { dot: true, nonegate: true }));
  const matches = (path: string): boolean => matchers.some((matcher) => matcher(path));
  return (relative) => {
    const names = relative.split('/').map(foldName);
    return names.some((_, index) => matches(names.slice(0, index + 1).join('/')));
  };
}
