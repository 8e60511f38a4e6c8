import type { RunReport } from '@switchyard/protocol';

/** The address of the resource that has what the agents of a task said and did. */
export function transcriptAddress({ run, taskId }: { run: string; taskId: string }): string {
  return `switchyard://runs/${run}/tasks/${encodeURIComponent(taskId)}/transcript`;
}

/** The report of a run as text. */
export async function reportText(report: RunReport, format: 'markdown' | 'json'): Promise<string> {
  if (format === 'json') return JSON.stringify(report);
  const { renderMarkdown } = await import('@switchyard/report');
  return renderMarkdown(report, ({ taskId }) => transcriptAddress({ run: report.view.run, taskId }));
}
