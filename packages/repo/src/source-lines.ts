import type { CommitId, SourceRange } from '@switchyard/protocol';
import { readTexts } from './file-texts.ts';
import type { Git } from './git-runner.ts';

/** Longer lines are cut. */
const lineCharsMax = 200;

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
    const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
    for (const range of byFile.get(path) ?? []) {
      const shown = lines.slice(range.from - 1, range.to).map((line) => line.slice(0, lineCharsMax));
      if (shown.length > 0) found.set(range, shown);
    }
  });
  return ranges.map((range) => found.get(range));
}
