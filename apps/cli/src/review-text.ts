import { severities, type ReportedFinding, type ReviewReport, type Severity } from '@switchyard/protocol';
import { durationText, oneLine, padTo } from './show-text.ts';
import type { Painter } from './terminal.ts';

/** Findings printed; files hold all. */
const shownMax = 300;
/** Files named that were left out. */
const leftOutMax = 10;

/** What a review found, for a screen: file by file, remarks only counted. */
export function reviewLines(report: ReviewReport, paint: Painter): string[] {
  const told = report.findings.filter(({ severity }) => severity !== 'info');
  const shown = told.slice(0, shownMax);
  const lines = [...new Set(shown.map(({ file }) => file))].flatMap((file) => [
    paint.bold(file === undefined ? 'the whole' : oneLine(file)),
    ...shown.filter((one) => one.file === file).flatMap((one) => findingLines(one, paint)),
    '',
  ]);
  if (told.length > shown.length)
    lines.push(`${told.length - shown.length} more findings are not printed`, '');
  return [...lines, ...leftOutLines(report, paint), ...summaryLines(report, paint)];
}

/** Files left out by an engine are remarks, which are not printed; that nobody has seen a file is. */
function leftOutLines({ findings }: ReviewReport, paint: Painter): string[] {
  const files = new Set(
    findings.flatMap(({ file, rule }) => (rule?.endsWith('/left-out') === true && file ? [file] : [])),
  );
  if (files.size === 0) return [];
  const named = [...files].slice(0, leftOutMax).map(oneLine).join(', ');
  const more = files.size > leftOutMax ? ` and ${files.size - leftOutMax} more` : '';
  return [paint.yellow(`not looked at by every engine: ${named}${more} (--json says why)`)];
}

function findingLines(finding: ReportedFinding, paint: Painter): string[] {
  const { severity, line, column, description, suggestion, rule } = finding;
  const place = line === undefined ? '' : column === undefined ? String(line) : `${line}:${column}`;
  const word = { critical: paint.red, major: paint.red, minor: paint.yellow, info: paint.dim }[severity];
  const indent = ' '.repeat(20);
  return [
    `  ${padTo(place, 8)}${word(padTo(severity, 10))}${oneLine(description)} ${paint.dim(oneLine(rule ?? ''))}`,
    ...(suggestion === undefined ? [] : [`${indent}${paint.dim(oneLine(suggestion))}`]),
  ];
}

function summaryLines(report: ReviewReport, paint: Painter): string[] {
  const { counts, filesAnalyzed, durationMs, suppressed } = report;
  const parts = severities.flatMap((severity) => {
    const count = counts[severity] ?? 0;
    return count === 0 ? [] : [`${count} ${wordOf(severity, count)}`];
  });
  const looked = `${filesAnalyzed === 1 ? '1 file' : `${filesAnalyzed} files`} looked at in ${durationText(durationMs)}`;
  const isFine = (counts.critical ?? 0) + (counts.major ?? 0) === 0;
  const verdict = parts.length === 0 ? 'nothing found' : parts.join(', ');
  const stand = suppressed.length === 0 ? '' : `, ${suppressed.length} let stand by the policy`;
  return [`${isFine ? paint.green('✓') : paint.red('✗')} ${verdict}${stand}; ${looked}`];
}

function wordOf(severity: Severity, count: number): string {
  return severity === 'info' ? (count === 1 ? 'remark' : 'remarks') : severity;
}
