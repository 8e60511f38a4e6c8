import {
  isBlocking,
  severities,
  type EarlierOutcome,
  type SessionFinding,
  type SessionReport,
  type Severity,
} from '@switchyard/protocol';
import { codeSpan, escapeMarkdown } from '../markdown-text.ts';

type Field = (report: SessionReport) => readonly string[];
type Line = (report: SessionReport) => string;

const text =
  (line: Line): Field =>
  (report) => [line(report)];
const list =
  (lines: Field, none: string): Field =>
  (report) => {
    const found = lines(report);
    return found.length === 0 ? [none] : found;
  };

const words = (said: string): string => escapeMarkdown(said, 2_000);
const conclusionWords: Readonly<Record<SessionReport['conclusion'], string>> = {
  passed: 'passed',
  changes_required: 'changes required',
  incomplete: 'incomplete',
};

/** What a template may ask for: each name with its Markdown (API; the names are documented in the README). */
export const sessionFields: Readonly<Record<string, Field>> = {
  task_id: text(({ taskId }) => words(taskId)),
  task_title: text(({ taskTitle }) => words(taskTitle)),
  session_id: text(({ sessionId }) => sessionId),
  begun_at: text(({ begunAt }) => begunAt),
  review_date: text(({ writtenAt }) => writtenAt.slice(0, 10)),
  conclusion: text(({ conclusion }) => `**${conclusionWords[conclusion]}**`),
  reasons: ({ reasons }) => reasons.map((reason) => `- ${words(reason)}`),
  summary: summaryLines,
  task_status: text(({ taskStatus }) => words(taskStatus)),
  project_type: text(({ projectType }) => projectType),
  strategy: text(({ strategy }) => words(strategy)),
  scope: text(({ scope }) => words(scope)),
  reviewers: reviewerLines,
  findings: list(({ findings }) => findings.flatMap(findingLines), 'Nothing was found.'),
  critical_findings: findingsOf('critical'),
  major_findings: findingsOf('major'),
  minor_findings: findingsOf('minor'),
  remarks: findingsOf('info'),
  required_changes: list(
    ({ findings }) => findings.filter(isBlocking).map(requiredChange),
    'No change is required.',
  ),
  suggestions: list(
    ({ findings }) => [
      ...new Set(
        findings.flatMap((one) => (isBlocking(one) || !one.suggestion ? [] : [`- ${words(one.suggestion)}`])),
      ),
    ],
    'None.',
  ),
  conflicts: list(conflictLines, 'No suggestions contradict each other.'),
  earlier_findings: earlierLines,
  let_stand: list(letStandLines, 'The policy of reviews lets nothing stand.'),
  strengths: list(({ strengths }) => strengths.map((one) => `- ${words(one)}`), 'None were told.'),
  warnings: list(({ warnings }) => warnings.map((one) => `- ${words(one)}`), 'None.'),
  escalations: list(
    ({ escalations }) =>
      escalations.map(
        ({ source, message, instructions }) =>
          `- ${words(source)}: ${words(message)}${instructions === null ? '' : ` — ${words(instructions)}`}`,
      ),
    'None.',
  ),
  quality_score: text(({ qualityScore }) => String(qualityScore)),
  metrics: metricLines,
  session: (report) => [
    `- Session ${codeSpan(report.sessionId)}, begun ${report.begunAt}, report written ${report.writtenAt}`,
    `- ${reviewerCount(report)}`,
  ],
};

/** What templates of others call the same. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  review_date: ['date', 'reviewed_at'],
  conclusion: ['status', 'overall_status', 'verdict', 'decision', 'result'],
  summary: ['executive_summary', 'overview'],
  findings: ['issues', 'problems'],
  critical_findings: ['critical_issues'],
  major_findings: ['major_issues'],
  minor_findings: ['minor_issues'],
  suggestions: ['recommendations', 'improvements'],
  required_changes: ['action_items', 'next_steps', 'required_actions'],
  earlier_findings: ['previous_findings', 'previous_issues'],
  reviewers: ['reviewer', 'participants'],
  quality_score: ['score', 'overall_score', 'rating'],
  strengths: ['positives', 'highlights'],
  task_title: ['task_name'],
};
const fieldOf: ReadonlyMap<string, string> = new Map(
  Object.entries(otherNames).flatMap(([field, names]) => names.map((name) => [name, field] as const)),
);

/** The field that a template asks for by a name of ours or of others; undefined: nobody knows it. */
export function fieldMeant(name: string): string | undefined {
  return isSessionField(name) ? name : fieldOf.get(name);
}

/** Whether a field is called so here. */
export function isSessionField(name: string): boolean {
  return Object.hasOwn(sessionFields, name);
}

/** Fields that every report has, whatever its template says. */
export const requiredFields: readonly (readonly string[])[] = [
  ['conclusion', 'summary'],
  ['findings', 'critical_findings+major_findings+minor_findings+remarks'],
  ['reviewers'],
  ['session', 'session_id'],
];

function findingsOf(severity: Severity): Field {
  return list(
    ({ findings }) => findings.filter((one) => one.severity === severity).flatMap(findingLines),
    'None.',
  );
}

/** One line that a later session reads back, and its suggestion beneath. */
function findingLines(finding: SessionFinding): string[] {
  const { priority, severity, category, file, line, rule, fingerprint, history, reviewers } = finding;
  const parts = [
    `**${priority}**`,
    severity,
    escapeMarkdown(category),
    ...(file === undefined ? [] : [`in ${codeSpan(placeOf(file, line), 4_200)}`]),
    ...(rule === undefined ? [] : [`rule ${codeSpan(rule)}`]),
    ...(fingerprint === '' ? [] : [codeSpan(`#${fingerprint.slice(0, 40)}`)]),
    ...(history === 'new' ? [] : [history]),
  ];
  const said = reviewers.map((name) => name.replace('task-reviewer_', '')).join(', ');
  return [
    `- ${parts.join(' · ')} — ${words(finding.description)}`,
    ...(finding.suggestion ? [`  - Suggestion: ${words(finding.suggestion)}`] : []),
    ...(reviewers.length > 1 ? [`  - Said by ${words(said)}`] : []),
    ...finding.references.map((reference) => `  - See ${words(reference)}`),
  ];
}

function requiredChange({ file, line, description, suggestion }: SessionFinding): string {
  const place = file === undefined ? '' : `${codeSpan(placeOf(file, line), 4_200)}: `;
  return `- [ ] ${place}${words(suggestion ?? description)}`;
}

function placeOf(file: string, line: number | undefined): string {
  // A backquote would end the code span that a later session reads it back from.
  const name = file.replaceAll('`', "'");
  return line === undefined ? name : `${name}:${line}`;
}

function summaryLines(report: SessionReport): string[] {
  const counts = severities.map(
    (severity) => `${report.findings.filter((one) => one.severity === severity).length} ${severity}`,
  );
  return [
    `**${conclusionWords[report.conclusion]}**: ${report.reasons.map(words).join('; ')}.`,
    '',
    `Findings: ${counts.join(', ')}. Quality score ${report.qualityScore} of 100.`,
  ];
}

function reviewerCount({ reviewers }: SessionReport): string {
  const completed = reviewers.filter(({ status }) => status === 'completed').length;
  return `${completed} of ${reviewers.length} reviewers came to a result`;
}

function reviewerLines({ reviewers }: SessionReport): string[] {
  return [
    '| Reviewer | Status | Findings | Time | Errors, retries | Focus | Why |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...reviewers.map((one) => {
      const time = one.durationMs === null ? '' : `${(one.durationMs / 1_000).toFixed(1)} s`;
      const cells = [
        escapeMarkdown(one.name),
        one.status,
        String(one.findings ?? ''),
        time,
        `${one.errors}, ${one.retries}`,
        words(one.focus.join(', ')),
        words(one.reason),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

/** In a form that no later session takes for what is open. */
function letStandLines({ suppressed }: SessionReport): string[] {
  return suppressed.map(({ finding, reason, until }) => {
    const { severity, file = '', line, rule = finding.category, description } = finding;
    const place = `${file.replaceAll('`', "'")}${line === undefined ? '' : `, line ${line}`}`;
    return `- ${codeSpan(`${severity} in ${place === '' ? 'the whole' : place}`, 4_200)}, rule ${codeSpan(rule)}: ${words(description)} Until ${words(until)}: ${words(reason)}`;
  });
}

function conflictLines({ conflicts }: SessionReport): string[] {
  return conflicts.flatMap(({ file, line, sides }) => [
    `${codeSpan(placeOf(file, line), 4_200)}`,
    '',
    `| ${sides.map(({ reviewer }) => escapeMarkdown(reviewer.replace('task-reviewer_', ''))).join(' | ')} |`,
    `| ${sides.map(() => '---').join(' | ')} |`,
    `| ${sides.map(({ description }) => words(description)).join(' | ')} |`,
    `| ${sides.map(({ suggestion }) => words(suggestion)).join(' | ')} |`,
    '',
  ]);
}

function earlierLines({ earlier }: SessionReport): string[] {
  if (earlier === undefined) return ['There is no earlier review.'];
  if (earlier.length === 0) return ['The earlier review found nothing.'];
  const count = (outcome: string): number => earlier.filter((one) => one.outcome === outcome).length;
  const head = `Of ${earlier.length}: ${count('resolved')} resolved, ${count('still open')} still open, ${count('changed')} changed.`;
  return [head, '', ...earlier.map(earlierLine)];
}

function earlierLine({ finding, outcome, note }: EarlierOutcome): string {
  const { severity, category, file, line, description } = finding;
  const place = file === undefined ? '' : ` · ${codeSpan(placeOf(file, line), 4_200)}`;
  const about = category === undefined ? '' : ` · ${escapeMarkdown(category)}`;
  return `- **${outcome}** (${words(note)}): ${severity}${about}${place} — ${words(description)}`;
}

function metricLines(report: SessionReport): string[] {
  const { begunAt, writtenAt, errors, recoveryAttempts, duplicates, qualityScore, qualityFormula } = report;
  const seconds = Math.max(0, Date.parse(writtenAt) - Date.parse(begunAt)) / 1_000;
  const succeeded = Math.round(report.successRate * 100);
  return [
    `- Time from the beginning to this report: ${seconds.toFixed(1)} s`,
    `- Success rate of the reviewers: ${succeeded} %, failure rate: ${100 - succeeded} %`,
    `- Errors: ${errors}; recoveries tried: ${recoveryAttempts}`,
    `- Findings said twice and merged: ${duplicates}`,
    `- Quality score: ${qualityScore} = ${words(qualityFormula)}`,
  ];
}
