import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError, type PayloadOf } from '@switchyard/protocol';
import { Option, type Command } from 'commander';
import type { CommandContext, CommonOptions } from '../context.ts';
import { meantRun, withSession } from '../session.ts';

interface ReportOptions extends CommonOptions {
  readonly format: string;
  readonly openPath?: boolean;
}

/** `report RUN`: what happened, as Markdown, HTML, JSON or SARIF; of a run that is still going on, what is known so far. */
export function addReport(program: Command, context: CommandContext): void {
  program
    .command('report <run>')
    .description('print the report of a run')
    .addOption(new Option('--format <format>', 'how').choices(['md', 'html', 'json', 'sarif']).default('md'))
    .option('--open-path', 'print only where the file lies')
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<ReportOptions>();
      const got = await withSession({ context, options, mode: { kind: 'look' } }, async ({ client }) =>
        client.report(await meantRun(client, name)),
      );
      if (options.format === 'sarif') return tellSarif(got, options, context);
      context.terminal.out(
        options.openPath === true ? `${pathOf(got, options.format)}\n` : await textOf(got, options.format),
      );
    });
}

type Report = PayloadOf<'report-got'>;

/** Made when it is asked for: no file of it is kept. */
async function tellSarif(
  { report }: Report,
  { openPath, repository = '.' }: ReportOptions,
  { cwd, terminal }: CommandContext,
): Promise<void> {
  if (openPath === true)
    throw new AppError('E_USAGE', 'a SARIF log is not kept as a file; leave --open-path out and redirect it');
  const { runSarif } = await import('../run-sarif.ts');
  terminal.out(`${JSON.stringify(runSarif(report, resolve(cwd, repository)), undefined, 2)}\n`);
}

function pathOf({ files, report }: Report, format: string): string {
  if (files === undefined)
    throw new AppError(
      'E_RUN_STATE',
      `run ${report.view.run} is ${report.view.phase}; its report is written when it has ended`,
    );
  return { md: files.markdown, html: files.html }[format] ?? files.json;
}

async function textOf(got: Report, format: string): Promise<string> {
  if (format === 'json') return `${JSON.stringify(got.report, undefined, 2)}\n`;
  if (got.files !== undefined) {
    const path = pathOf(got, format);
    const text = await readFile(path, 'utf8').catch(() => undefined); // of another machine, or cleaned: made anew
    if (text !== undefined) return text;
  }
  const { renderHtml, renderMarkdown } = await import('@switchyard/report');
  return format === 'html' ? renderHtml(got.report) : renderMarkdown(got.report);
}
