import { AppError, type CommitId } from '@switchyard/protocol';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';
import { ObjectReader } from './object-reader.ts';
import { shownPath, splitNul, type RawPath } from './raw-path.ts';
import { linkMode, submoduleMode } from './tree-entry.ts';
import { isGitPath, isModulesPath } from './workspace-check.ts';

const pointerStart = 'version https://git-lfs.github.com/spec/';
const pointerBytesMax = 1024;
/** One name, on every file system that matters. */
const nameBytesMax = 255;

interface Listed {
  readonly path: RawPath;
  readonly mode: string;
  readonly id: string;
  readonly size: number;
}

/**
 * Refuses a base whose files a run would not have. Throws AppError E_SUBMODULES and E_PATH_INVALID (what no checkout
 * can hold, or would hold as git's own files) with the paths.
 */
export async function checkBase(git: Git, base: CommitId): Promise<void> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', '-l', '--full-tree', base], {
    outputBytesMax: 4 * gitLimits.outputBytes,
  });
  const files = splitNul(stdout).map(parseLine);
  const unusable = unusableFiles(files);
  if (unusable.length > 0) throw unusableError(unusable);
  const submodules = files.filter(({ mode }) => mode === submoduleMode);
  if (submodules.length > 0) throw refusal('submodules', submodules);
  const pointers = await lfsPointers(git, files);
  if (pointers.length > 0) throw refusal('files kept in LFS', pointers);
}

/** Names that some file system takes for `.git`, links for files that git itself reads, and trees made to confuse. */
function unusableFiles(files: readonly Listed[]): Listed[] {
  const seen = new Set<string>();
  const taken = new Set(files.map(({ path }) => path));
  return files.filter(({ path, mode }) => {
    const isSecond = seen.size === seen.add(path).size;
    const isBelowFile = foldersAbove(path).some((folder) => taken.has(folder));
    const isLinkForGit = mode === linkMode && isModulesPath(path);
    const isOdd = path.split('/').some((name) => name === '.' || name === '..' || name.length > nameBytesMax);
    return isSecond || isBelowFile || isLinkForGit || isOdd || isGitPath(path);
  });
}

function foldersAbove(path: RawPath): RawPath[] {
  const found: RawPath[] = [];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
    found.push(path.slice(0, at) as RawPath);
  return found;
}

function unusableError(files: readonly Listed[]): AppError {
  const { paths, shown, more } = named(files);
  const text = `the base holds paths that no checkout can have (git's own names, links in their place, two files at one name, or too long): ${shown}${more}; remove them with git and commit`;
  return new AppError('E_PATH_INVALID', text, { details: { paths } });
}

/** Files that are LFS pointers; looked for only where some `.gitattributes` speaks of LFS. */
async function lfsPointers(git: Git, files: readonly Listed[]): Promise<Listed[]> {
  const attributes = files.filter(({ path }) => /(^|\/)\.gitattributes$/.test(path));
  if (attributes.length === 0) return [];
  return ObjectReader.use(git, async (reader) => {
    const texts = await Promise.all(attributes.map((entry) => reader.blob(entry)));
    if (!texts.some((text) => text.includes('filter=lfs'))) return [];
    const small = files.filter(({ size }) => size >= pointerStart.length && size <= pointerBytesMax);
    const contents = await Promise.all(small.map((entry) => reader.blob(entry)));
    return small.filter((_, index) => contents[index]?.toString('latin1').startsWith(pointerStart));
  });
}

function refusal(what: string, files: readonly Listed[]): AppError {
  const { paths, shown, more } = named(files);
  return new AppError(
    'E_SUBMODULES',
    `the base has ${what}, which a run does not carry yet: ${shown}${more}`,
    {
      details: { paths },
    },
  );
}

function named(files: readonly Listed[]): { paths: string[]; shown: string; more: string } {
  const paths = files.slice(0, 100).map(({ path }) => shownPath(path));
  const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
  return { paths, shown: paths.slice(0, 5).map(oneName).join(', '), more };
}

/** Names may be made to fool a reader of messages. */
function oneName(path: string): string {
  const plain = path.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return plain.length <= 200 ? plain : `${plain.slice(0, 200)}…`;
}

function parseLine(line: RawPath): Listed {
  const tab = line.indexOf('\t');
  const [mode = '', , id = '', size = '-'] = line.slice(0, tab).split(/ +/);
  return { mode, id, size: size === '-' ? 0 : Number(size), path: line.slice(tab + 1) as RawPath };
}
