import { readSource } from '@switchyard/analyzers';
import {
  linesIn,
  rangesToShow,
  splitLines,
  type Finding,
  type ShownFinding,
  type SourceRange,
} from '@switchyard/protocol';

/** Source lines of a tree around the findings of a report, the file read last kept. */
export class SourceLines {
  private readonly root: string;
  private readonly ranges: ReadonlyMap<Finding, SourceRange | undefined>;
  private last: { readonly file: string; readonly lines: readonly string[] } | undefined;

  /** All findings are needed at once: where one speaks of a secret, none of the others shows it. */
  constructor(root: string, findings: readonly Finding[]) {
    this.root = root;
    const ranges = rangesToShow(findings);
    this.ranges = new Map(findings.map((finding, index) => [finding, ranges[index]]));
  }

  /** Undefined where there is no line to show, or it may hold a secret. */
  async around(finding: Finding): Promise<ShownFinding['excerpt']> {
    const range = this.ranges.get(finding);
    if (range === undefined) return undefined;
    const lines = linesIn(await this.linesOf(range.file), range);
    return lines && { from: range.from, lines };
  }

  private async linesOf(file: string): Promise<readonly string[]> {
    if (this.last?.file !== file) {
      const source = await readSource(this.root, file);
      this.last = { file, lines: source.kind === 'text' ? splitLines(source.text) : [] };
    }
    return this.last.lines;
  }
}
