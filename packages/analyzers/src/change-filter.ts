import type { Finding } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { AnalysisFile, PlacedFinding } from './engine.ts';

/**
 * Keeps a finding when the change brought it, that is when its first line changed, or for a short construct any
 * line of it (the finding then stands on that line). Findings without a line speak of the file and stay.
 * `changed` undefined: every line counts. The answer fits the wire: no end line, the file's name cut to its limit.
 */
export function placeInChange(
  placed: PlacedFinding,
  changed: ReadonlyMap<string, AnalysisFile['lines']> | undefined,
): Finding | undefined {
  const { endLine, caused, ...finding } = placed;
  if (finding.file !== undefined && finding.file.length > 4096) return undefined;
  if (changed === undefined || caused === true || finding.file === undefined || finding.line === undefined)
    return finding;
  const first = finding.line;
  const last = Math.max(first, endLine ?? first);
  const reach = last - first < analyzerLimits.constructLines ? last : first;
  const touched = (changed.get(finding.file) ?? [])
    .filter(([start, end]) => start <= reach && end >= first)
    .map(([start]) => Math.max(first, start));
  if (touched.length === 0) return undefined;
  const line = Math.min(...touched);
  if (line === first) return finding;
  const { column: _ofTheFirstLine, ...rest } = finding;
  return { ...rest, line };
}
