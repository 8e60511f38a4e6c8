import { readSource } from '@switchyard/analyzers';
import type { Finding, ReportedFinding } from '@switchyard/protocol';

/** Lines shown before and after the one that a finding speaks of. */
const context = 2;
/** A report shall not spread what it finds: lines with secrets stay where they are. */
const secret = /^(secretlint\/|text\/private-key$)|(secret|password|token|credential|private-?key|api-?key)/i;

/** Source lines of a tree around findings, the file read last kept. */
export class SourceLines {
  private readonly root: string;
  private last: { readonly file: string; readonly lines: readonly string[] } | undefined;

  constructor(root: string) {
    this.root = root;
  }

  /** Undefined where there is no line to show, or it may hold a secret. */
  async around({ file, line, rule }: Finding): Promise<ReportedFinding['excerpt']> {
    if (file === undefined || line === undefined || secret.test(rule ?? '')) return undefined;
    const lines = await this.linesOf(file);
    if (line > lines.length) return undefined;
    const from = Math.max(1, line - context);
    const shown = lines.slice(from - 1, line + context);
    return { from, lines: shown.map((text) => text.slice(0, 200)) };
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
