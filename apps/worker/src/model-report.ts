import type { AttemptKey } from '@switchyard/protocol';
import type { AttemptReport } from './attempt-report.ts';
import type { ModelTalk } from './ports.ts';

/** An attempt's last word, which is never lost, with what it used of models. */
export function withModels(
  attempt: AttemptKey,
  report: AttemptReport,
  models: ModelTalk | undefined,
): AttemptReport {
  if (models === undefined) return report;
  const usage = models.usageOf(attempt);
  models.forget(attempt);
  if (usage.length === 0) return report;
  return { ...report, payload: { ...report.payload, usage } } as AttemptReport;
}
