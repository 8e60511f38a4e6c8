import type { CommitId } from '@switchyard/protocol';
import type { Git } from './git-runner.ts';
import { ObjectReader } from './object-reader.ts';

/** A file over this is not read. */
const fileBytesMax = 10 * 1024 * 1024;
/** Neither is what comes after so much in all. */
const allBytesMax = 256 * 1024 * 1024;

/**
 * Reads the files that a commit has among the paths, one after the other, and says what each path is; one that the
 * commit lacks has no entry. A file that is too large is not read.
 */
export async function readTexts(
  git: Git,
  { commit, paths }: { readonly commit: CommitId; readonly paths: readonly string[] },
  take: (path: string, text: string) => void,
): Promise<ReadonlyMap<string, 'blob' | 'tree'>> {
  const kinds = new Map<string, 'blob' | 'tree'>();
  const asked = [...new Set(paths)].filter(isPlain);
  if (asked.length === 0) return kinds;
  const wanted: string[] = [];
  let bytesLeft = allBytesMax;
  for (const [path, { type, bytes }] of await kindsOf(git, commit, asked)) {
    kinds.set(path, type);
    if (type !== 'blob' || bytes > Math.min(fileBytesMax, bytesLeft)) continue;
    bytesLeft -= bytes;
    wanted.push(path);
  }
  if (wanted.length === 0) return kinds;
  await ObjectReader.use(git, async (reader) => {
    for (const path of wanted) {
      const { content } = await reader.read(`${commit}:${path}`);
      take(path, content.toString('utf8'));
    }
  });
  return kinds;
}

/** A path as trees have them; git reads others in ways of its own. */
function isPlain(path: string): boolean {
  return (
    !/[\0\n]/.test(path) && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
  );
}

async function kindsOf(git: Git, commit: CommitId, paths: readonly string[]) {
  const { stdout } = await git.run(['cat-file', '--batch-check=%(objecttype) %(objectsize)'], {
    stdin: paths.map((path) => `${commit}:${path}\n`).join(''),
  });
  const answers = stdout.toString('utf8').split('\n');
  return paths.flatMap((path, at): [string, { type: 'blob' | 'tree'; bytes: number }][] => {
    const [, type, bytes] = /^(blob|tree) (\d+)$/.exec(answers[at] ?? '') ?? [];
    return type === 'blob' || type === 'tree' ? [[path, { type, bytes: Number(bytes) }]] : [];
  });
}
