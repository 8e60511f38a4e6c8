// A copy of this repository's tracked files in a git repository of its own, for the main job to work on.
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { capture } from './child.mjs';

const identity = ['-c', 'user.name=Switchyard', '-c', 'user.email=switchyard@localhost.invalid'];
const plain = [
  ...identity,
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'commit.gpgSign=false',
  '-c',
  'init.templateDir=',
];

/** Copies the tracked files of `root`, with their history where there is one, into a new repository at `folder`. */
export function makeWorkCopy(root, folder) {
  const tracked = trackedFiles(root);
  if (tracked === undefined || !cloneHistory(root, folder))
    git(dirname(folder), 'init', '-q', '-b', 'main', folder);
  const files = tracked ?? plainFiles(root);
  for (const file of files) copyFile(join(root, file), join(folder, file));
  commitAll(folder, 'The work tree as it stands');
}

/** Commits whatever has changed; nothing when nothing has. */
export function commitAll(folder, message) {
  git(folder, 'add', '-A');
  if (git(folder, 'status', '--porcelain') !== '') git(folder, 'commit', '-q', '-m', message);
}

/** The real history, if `root` is the top of a whole clone that has commits. */
function cloneHistory(root, folder) {
  const isWhole =
    capture('git', ['rev-parse', '--is-shallow-repository'], { cwd: root }).stdout.trim() === 'false' &&
    capture('git', ['rev-parse', '--verify', '-q', 'HEAD'], { cwd: root }).code === 0;
  if (!isWhole) return false;
  git(dirname(folder), 'clone', '-q', '--no-hardlinks', '--no-tags', '--single-branch', root, folder);
  git(folder, 'checkout', '-q', '-B', 'main');
  git(folder, 'remote', 'remove', 'origin');
  return true;
}

function trackedFiles(root) {
  const top = capture('git', ['rev-parse', '--show-cdup'], { cwd: root });
  if (top.code !== 0 || top.stdout.trim() !== '') return undefined;
  const listed = capture('git', ['ls-files', '-z'], { cwd: root });
  const files = listed.stdout.split('\0').filter((file) => file !== '');
  return listed.code === 0 && files.length > 0 ? files : undefined;
}

/** Without git's word: everything but what tools make. */
function plainFiles(root, folder = root) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', '.git', '.nx', 'coverage', 'dist'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? plainFiles(root, path) : [relative(root, path)];
  });
}

/** A tracked file that the work tree no longer has goes from the copy, too. */
function copyFile(from, to) {
  rmSync(to, { force: true });
  const found = lstatSync(from, { throwIfNoEntry: false });
  if (found === undefined) return;
  mkdirSync(dirname(to), { recursive: true });
  if (found.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (found.isFile()) copyFileSync(from, to);
}

function git(cwd, ...args) {
  if (!existsSync(cwd)) mkdirSync(cwd, { recursive: true });
  const { code, output, stdout } = capture('git', [...plain, ...args], { cwd });
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${output.trim()}`);
  return stdout;
}
