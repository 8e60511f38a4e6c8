import type { CommitId } from '@switchyard/protocol';
import type { Git } from './git-runner.ts';
import { readTexts } from './file-texts.ts';

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
  const kinds = await readTexts(git, { commit, paths }, (path, text) =>
    lengths.set(path, (text.match(lineBreak)?.length ?? 0) + 1),
  );
  return new Map(
    [...kinds].map(([path, kind]) => [path, kind === 'tree' ? 0 : (lengths.get(path) ?? Infinity)]),
  );
}
