import { resolve } from 'node:path';
import {
  AppError,
  exitCodes,
  severities,
  specialization,
  specializations,
  type ReviewReport,
  type Severity,
  type Specialization,
} from '@switchyard/protocol';
import { programVersion } from '@switchyard/runtime';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { putFile } from '../put-file.ts';
import { ReviewProgress } from '../review-progress.ts';
import { reviewLines } from '../review-text.ts';

interface ReviewOptions {
  readonly since?: string;
  readonly all?: boolean;
  readonly specialization?: readonly Specialization[];
  readonly failOn: Severity;
  readonly sarif?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly deep?: boolean;
  /** commander's name for `--no-sandbox`. */
  readonly sandbox: boolean;
}

/** `review [PATH]`: any folder or repository, by the static engines; no daemon, no key, no network. */
export function addReview(program: Command, context: CommandContext): void {
  program
    .command('review [path]')
    .description('review a change, a folder or a whole repository with the static engines')
    .option('--since <revision>', 'review what has changed since the history left this branch, tag or commit')
    .option('--all', 'findings on every line, not only on those of the change')
    .addOption(
      new Option('--specialization <names>', `any of ${specializations.join(', ')} (default: all)`).argParser(
        addSpecializations,
      ),
    )
    .addOption(
      new Option('--fail-on <severity>', 'end with the exit code of the worst finding from here on')
        .choices(severities)
        .default('major'),
    )
    .option('--sarif <file>', 'also write SARIF 2.1.0')
    .option('--html <file>', 'also write a page')
    .option('--json', 'print the whole report as JSON')
    .option('--deep', 'also the broad rules of security: more findings, and more of them false')
    .option('--no-sandbox', 'let the engines run without isolation')
    .addHelpText('after', helpText)
    .action((path: string | undefined, options: ReviewOptions) => review(path ?? '.', options, context));
}

const helpText = `
Without --since, the change is what is not committed; where everything is, the whole of PATH is reviewed.
The exit code tells the worst severity, see \`switchyard help exit-codes\`.

The repository may say in .switchyard/review.yml what a review lets stand, which tests a change may not loosen,
and which other tools it asks; a change is reviewed by the file as it was before the change:

  suppressions:
    - rule: ast-grep/no-eval        # or secretlint/* for all that begin like it
      path: tools/**                # optional
      fingerprint: 0f3c…            # optional: one finding alone, by its name in the SARIF report
      reason: the template compiler needs it
      until: 2027-01-31             # without reason or end, or after it, it does not count
  protected: [test/contract/**]
  deep: true                        # as --deep, for everybody
  engines:
    - name: semgrep
      run: semgrep scan --config .semgrep.yml --sarif --quiet --metrics off .
      specializations: [security]
      timeoutMinutes: 5
`;

function addSpecializations(
  text: string,
  before: readonly Specialization[] | undefined,
): readonly Specialization[] {
  const named = text
    .split(',')
    .filter((name) => name.trim() !== '')
    .map((name) => {
      const parsed = specialization.safeParse(name.trim().replace(/^reviewer-/, ''));
      if (!parsed.success)
        throw new InvalidArgumentError(`${name} is none of ${specializations.join(', ')}.`);
      return parsed.data;
    });
  // With none, nothing would be looked for, and so nothing found.
  if (named.length === 0) throw new InvalidArgumentError(`It names none of ${specializations.join(', ')}.`);
  return [...new Set([...(before ?? []), ...named])];
}

async function review(path: string, options: ReviewOptions, context: CommandContext): Promise<void> {
  // Loaded when it is needed: parsers, rules and git.
  const { openScope } = await import('../review-scope.ts');
  const { runReview } = await import('../review-run.ts');
  const { terminal, environment, cwd } = context;
  const controller = new AbortController();
  const interrupt = new Interrupt(() => undefined);
  void interrupt.happened.then(() => controller.abort(interrupted()));
  const progress = new ReviewProgress(terminal, terminal.isScreen && process.stderr.isTTY);
  try {
    const scope = await openScope(resolve(cwd, path), { since: options.since, all: options.all === true });
    try {
      terminal.err(`reviewing ${scope.text} in ${scope.root}\n`);
      const { review: found, report } = await runReview(scope, {
        specializations: [...(options.specialization ?? specializations)],
        ...(options.deep === true && { deep: true }),
        sandbox: options.sandbox ? 'auto' : 'off',
        searchPath: environment.all['PATH'],
        signal: controller.signal,
        progress,
      });
      progress.close();
      if (options.sarif !== undefined) {
        const { writeSarif } = await import('@switchyard/analyzers');
        const log = writeSarif(found, { root: scope.root, version: programVersion });
        await putFile(resolve(cwd, options.sarif), `${JSON.stringify(log, undefined, 2)}\n`);
      }
      await tell(report, options, context);
    } finally {
      await scope.close();
    }
  } catch (error) {
    progress.close();
    if (!controller.signal.aborted) throw error;
    terminal.err('stopped; nothing was written\n');
    context.end(exitCodes.interrupted.code);
  } finally {
    interrupt.close();
  }
}

function interrupted(): AppError {
  return new AppError('E_CANCELLED', 'the review was interrupted');
}

async function tell(report: ReviewReport, options: ReviewOptions, context: CommandContext): Promise<void> {
  const { terminal, cwd } = context;
  if (options.html !== undefined) {
    const { renderReviewHtml } = await import('@switchyard/report');
    await putFile(resolve(cwd, options.html), renderReviewHtml(report));
  }
  if (options.json === true) terminal.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else terminal.out(`${reviewLines(report, terminal.paint).join('\n')}\n`);
  for (const file of [options.sarif, options.html])
    if (file !== undefined) terminal.err(`written: ${resolve(cwd, file)}\n`);
  context.end(exitCodeOf(report, options.failOn));
}

const codes: Readonly<Record<Severity, number>> = {
  critical: exitCodes.criticalFound.code,
  major: exitCodes.majorFound.code,
  minor: exitCodes.minorFound.code,
  info: exitCodes.infoFound.code,
};

/** The code of the worst finding, if it is as bad as asked for. */
function exitCodeOf({ counts }: ReviewReport, failOn: Severity): number {
  const counted = severities.slice(0, severities.indexOf(failOn) + 1);
  const worst = counted.find((severity) => (counts[severity] ?? 0) > 0);
  return worst === undefined ? exitCodes.ok.code : codes[worst];
}
