import type { AnalysisFile, BaseTree } from './engine.ts';
import { changedLineRanges } from './line-changes.ts';
import { readSource } from './source-file.ts';

const everyLine: AnalysisFile['lines'] = [[1, Number.MAX_SAFE_INTEGER]];

/** Files of a tree as a whole, every line of them. */
export function wholeFiles(paths: readonly string[]): AnalysisFile[] {
  return paths.map((path) => ({ path, change: 'added', lines: everyLine, binary: false }));
}

/** Changed files with the lines that differ, by comparing the tree with what it was before. */
export async function changedTexts(
  root: string,
  changes: readonly Pick<AnalysisFile, 'path' | 'change'>[],
  base: BaseTree,
): Promise<AnalysisFile[]> {
  const files: AnalysisFile[] = [];
  for (const { path, change } of changes) {
    if (change === 'deleted') {
      files.push({ path, change, lines: [], binary: false });
      continue;
    }
    const source = await readSource(root, path);
    const binary = source.kind === 'binary' || source.kind === 'not-a-file';
    const lines =
      source.kind === 'text' && change === 'modified'
        ? changedLineRanges((await base.read(path)) ?? '', source.text)
        : everyLine;
    files.push({ path, change, lines: binary ? [] : lines, binary });
  }
  return files;
}
