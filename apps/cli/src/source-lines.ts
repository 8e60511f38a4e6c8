import { readSource } from '@switchyard/analyzers';
import { rangesToShow, type Finding, type ShownFinding, type SourceRange } from '@switchyard/protocol';

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
    const lines = await this.linesOf(range.file);
    if (finding.line === undefined || finding.line > lines.length) return undefined;
    const shown = lines.slice(range.from - 1, range.to);
    return { from: range.from, lines: shown.map((text) => text.slice(0, 200)) };
  }

  private async linesOf(file: string): Promise<readonly string[]> {
    if (this.last?.file !== file) {
      const source = await readSource(this.root, file);
      const text = source.kind === 'text' ? source.text.replace(/\r?\n$/, '') : '';
      this.last = { file, lines: text.split(/\r?\n/) };
    }
    return this.last.lines;
  }
}
