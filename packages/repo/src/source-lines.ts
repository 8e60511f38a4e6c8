import { linesIn, splitLines, type CommitId, type SourceRange } from '@switchyard/protocol';
import { readTexts } from './file-texts.ts';
import type { Git } from './git-runner.ts';

/** The lines of each range as a commit has them, in order; undefined where it has none, or they are no text. */
export async function readSourceLines(
  git: Git,
  commit: CommitId,
  ranges: readonly SourceRange[],
): Promise<readonly (readonly string[] | undefined)[]> {
  const byFile = new Map<string, SourceRange[]>();
  for (const range of ranges) {
    const others = byFile.get(range.file);
    if (others === undefined) byFile.set(range.file, [range]);
    else others.push(range);
  }
  const found = new Map<SourceRange, readonly string[]>();
  await readTexts(git, { commit, paths: [...byFile.keys()] }, (path, text) => {
    if (text.includes('\0')) return;
    const all = splitLines(text);
    for (const range of byFile.get(path) ?? []) {
      const lines = linesIn(all, range);
      if (lines !== undefined) found.set(range, lines);
    }
  });
  return ranges.map((range) => found.get(range));
}
