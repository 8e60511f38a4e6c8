import { resolve } from 'node:path';
import type { Finding, ReportedFinding, SessionReport } from '@switchyard/protocol';
import { putFile } from '../put-file.ts';
import type { CommandContext } from '../context.ts';

/** Where else the report of a session goes, as a person has asked. */
export interface SessionExports {
  readonly html?: string | undefined;
  readonly sarif?: string | undefined;
}

/** Writes the report of a session as a page, as SARIF 2.1.0, or as neither. Throws AppError E_IO. */
export async function exportSession(
  report: SessionReport,
  { html, sarif }: SessionExports,
  { cwd, terminal }: CommandContext,
): Promise<void> {
  const put = async (name: string, text: string): Promise<void> => {
    const file = resolve(cwd, name);
    await putFile(file, text);
    terminal.err(`written: ${file}\n`);
  };
  if (html !== undefined) {
    const { renderSessionHtml } = await import('@switchyard/report');
    await put(html, renderSessionHtml(report));
  }
  if (sarif !== undefined) await put(sarif, `${JSON.stringify(await sarifOf(report), undefined, 2)}\n`);
}

async function sarifOf({ findings, suppressed, root, program }: SessionReport): Promise<object> {
  const { writeSarif } = await import('@switchyard/analyzers');
  const fingerprints = new Map<Finding, string>();
  const plain = (one: ReportedFinding): Finding => {
    if (one.fingerprint !== '') fingerprints.set(one, one.fingerprint);
    return one;
  };
  const source = {
    findings: findings.map(plain),
    suppressed: suppressed.map(({ finding, reason, until }) => ({
      finding: plain(finding),
      suppression: { rule: finding.rule ?? '', reason, until },
    })),
    fingerprints,
  };
  return writeSarif(source, { root, version: program });
}
