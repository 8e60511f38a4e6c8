import type { CommitId } from '@switchyard/protocol';
import type { Git } from './git-runner.ts';
import { ObjectReader } from './object-reader.ts';

/** A file over this is not counted. */
const fileBytesMax = 10 * 1024 * 1024;
/** Neither is what comes after so much in all. */
const allBytesMax = 256 * 1024 * 1024;

const lineBreak = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;

/**
 * How many lines the files have that a commit has among the paths; one that it lacks has no entry. 0: a folder;
 * Infinity: too large to be counted. What any tool may take for a line break counts, so that nobody's last
 * line is beyond the end.
 */
export async function readFileLengths(
  git: Git,
  commit: CommitId,
  paths: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const lengths = new Map<string, number>();
  const asked = [...new Set(paths)].filter(isPlain);
  if (asked.length === 0) return lengths;
  const counted: string[] = [];
  let bytesLeft = allBytesMax;
  for (const [path, { type, bytes }] of await kindsOf(git, commit, asked)) {
    const isCounted = type === 'blob' && bytes <= Math.min(fileBytesMax, bytesLeft);
    lengths.set(path, type === 'blob' ? Infinity : 0);
    if (!isCounted) continue;
    bytesLeft -= bytes;
    counted.push(path);
  }
  await ObjectReader.use(git, async (reader) => {
    for (const path of counted) {
      const { content } = await reader.read(`${commit}:${path}`);
      lengths.set(path, (content.toString('utf8').match(lineBreak)?.length ?? 0) + 1);
    }
  });
  return lengths;
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
  return paths.flatMap((path, at): [string, { type: string; bytes: number }][] => {
    const [, type, bytes] = /^(blob|tree) (\d+)$/.exec(answers[at] ?? '') ?? [];
    return type === undefined ? [] : [[path, { type, bytes: Number(bytes) }]];
  });
}
