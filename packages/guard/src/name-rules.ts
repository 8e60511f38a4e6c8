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
    .replaceAll('\u0131', 'i')
    .normalize('NFKC');
}

/** A name as the most forgiving file system would read it: `.GIT.`, `.g\u200cit` and `git~1` are all `.git`. */
export function foldName(name: string): string {
  const known = folds.get(name);
  if (known !== undefined) return known;
  const folded = foldAnew(name);
  if (folds.size >= foldsMax) folds.clear();
  folds.set(name, folded);
  return folded;
}

/** Names repeat: each is folded once. */
const folds = new Map<string, string>();
const foldsMax = 4096;

function foldAnew(name: string): string {
  const folded = foldText(name)
    .replace(/(?<=.):.*$/, '')
    .replace(/[. ]+$/, '');
  return longName(folded) ?? (folded === '' ? name : folded);
}

/** `git~1`, `vscode~1`: the short names that Windows gives to the protected ones. */
function longName(folded: string): string | undefined {
  const [, start] = /^([a-z0-9]{2,6})~\d+(?:\.\w{0,3})?$/.exec(folded) ?? [];
  if (start === undefined) return undefined;
  const isMeant = (name: string): boolean => name.slice(1, 7).split('.')[0] === start;
  return ['.git', ...protectedFolders, ...protectedFiles].find(isMeant);
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
/** Folders by their last names: what a shell runs when it starts. */
const protectedPlaces = ['.config/fish', '.config/nushell', '.config/powershell', '.config/xonsh'];
const protectedFiles = new Set(
  (
    '.gitmodules .gitconfig .mcp.json .roomodes .rooignore .envrc .ripgreprc .inputrc ' +
    '.profile .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .kshrc .cshrc .tcshrc .login .logout ' +
    '.zshrc .zshenv .zprofile .zlogin .zlogout .shrc .mkshrc .yashrc .xonshrc .xprofile .xinitrc .xsessionrc ' +
    '.pam_environment'
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
  if (protectedPlaces.some((place) => `/${names.join('/')}/`.includes(`/${place}/`))) return true;
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
  const findGlob = denyingGlob(globs);
  return (relative) => findGlob(relative) !== undefined;
}

/** The first glob that denies a path, if one does. */
export function denyingGlob(globs: readonly string[]): (relative: string) => string | undefined {
  if (globs.length === 0) return () => undefined;
  const rules = globs.map((glob) => ({
    glob,
    matches: picomatch(foldText(glob), { dot: true, nonegate: true }),
  }));
  const find = (relative: string): string | undefined => {
    const names = relative.split('/').map(foldName);
    const paths = names.map((_, index) => names.slice(0, index + 1).join('/'));
    return rules.find(({ matches }) => paths.some((path) => matches(path)))?.glob;
  };
  return remembering(find);
}

/** The same paths are asked for again and again: answers are kept, all dropped when there are many. */
function remembering(find: (relative: string) => string | undefined): typeof find {
  const answers = new Map<string, string | undefined>();
  return (relative) => {
    if (answers.has(relative)) return answers.get(relative);
    const answer = find(relative);
    if (answers.size >= answersMax) answers.clear();
    answers.set(relative, answer);
    return answer;
  };
}

const answersMax = 4096;
