import { resolve } from 'node:path';
import { AppError } from '@switchyard/protocol';
import type { Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';

interface ReportFlags {
  readonly html?: string;
  readonly sarif?: string;
  readonly json?: boolean;
}

/** `session report N`: the report of the last session of a task, in the form that is asked for. */
export function addSessionReport(session: Command, context: CommandContext): void {
  session
    .command('report <task>')
    .description('print the report of the last session of a task, or write it in another form')
    .option('--html <file>', 'write it as a page')
    .option('--sarif <file>', 'write its findings as SARIF 2.1.0')
    .option('--json', 'print it as JSON')
    .action((task: string, flags: ReportFlags, command: Command) =>
      report(task, flags, { command, context }),
    );
}

/** `session list`: every session of the project. */
export function addSessionList(session: Command, context: CommandContext): void {
  session
    .command('list')
    .description('list the sessions of the project')
    .option('--json', 'as JSON')
    .action(async ({ json = false }: { json?: boolean }, command: Command) => {
      const { listSessions, sessionTable } = await import('../review-session/session-list.ts');
      const { repository = '.' } = commonOptions(command);
      const sessions = listSessions(resolve(context.cwd, repository));
      const { out } = context.terminal;
      if (json) return out(`${JSON.stringify(sessions, undefined, 2)}\n`);
      const lines = sessionTable(sessions, context.terminal);
      const none = 'no sessions yet; `switchyard session start N` begins one for task N';
      out(`${(lines.length === 0 ? [none] : lines).join('\n')}\n`);
    });
}

async function report(
  task: string,
  flags: ReportFlags,
  { command, context }: { readonly command: Command; readonly context: CommandContext },
): Promise<void> {
  const { findSessionProject } = await import('../review-session/session-project.ts');
  const { SessionStore } = await import('../review-session/session-store.ts');
  const { exportSession } = await import('../review-session/session-exports.ts');
  const { repository = '.' } = commonOptions(command);
  const store = new SessionStore(findSessionProject(resolve(context.cwd, repository), task));
  const found = store.read();
  if (found === undefined)
    throw new AppError(
      'E_SESSION_UNKNOWN',
      `there is no session of task ${task}; \`switchyard session start ${task}\` begins one`,
    );
  const kept = store.readReport(found.state);
  await exportSession(kept, flags, context);
  if (flags.json === true) context.terminal.out(`${JSON.stringify(kept, undefined, 2)}\n`);
  else if (flags.html === undefined && flags.sarif === undefined)
    context.terminal.out(store.readReportText(found.state));
}
