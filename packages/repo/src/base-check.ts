import { AppError, type CommitId } from '@switchyard/protocol';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';
import { ObjectReader } from './object-reader.ts';
import { shownPath, splitNul, type RawPath } from './raw-path.ts';
import { submoduleMode } from './tree-entry.ts';

const pointerStart = 'version https://git-lfs.github.com/spec/';
const pointerBytesMax = 1024;

interface Listed {
  readonly path: RawPath;
  readonly mode: string;
  readonly id: string;
  readonly size: number;
}

/** Refuses a base whose files a run would not have. Throws AppError E_SUBMODULES with the paths. */
export async function refuseSubmodules(git: Git, base: CommitId): Promise<void> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', '-l', '--full-tree', base], {
    outputBytesMax: 4 * gitLimits.outputBytes,
  });
  const files = splitNul(stdout).map(parseLine);
  const submodules = files.filter(({ mode }) => mode === submoduleMode);
  if (submodules.length > 0) throw refusal('submodules', submodules);
  const pointers = await lfsPointers(git, files);
  if (pointers.length > 0) throw refusal('files kept in LFS', pointers);
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
  const paths = files.slice(0, 100).map(({ path }) => shownPath(path));
  const shown = paths.slice(0, 5).join(', ');
  const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
  return new AppError(
    'E_SUBMODULES',
    `the base has ${what}, which a run does not carry yet: ${shown}${more}`,
    {
      details: { paths },
    },
  );
}

function parseLine(line: RawPath): Listed {
  const tab = line.indexOf('\t');
  const [mode = '', , id = '', size = '-'] = line.slice(0, tab).split(/ +/);
  return { mode, id, size: size === '-' ? 0 : Number(size), path: line.slice(tab + 1) as RawPath };
}
