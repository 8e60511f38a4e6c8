import type { RunReport } from '@switchyard/protocol';

/** The report of a run as text. */
export async function reportText(report: RunReport, format: 'markdown' | 'json'): Promise<string> {
  if (format === 'json') return JSON.stringify(report);
  const { renderMarkdown } = await import('@switchyard/report');
  return renderMarkdown(report);
}
