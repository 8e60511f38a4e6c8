import { watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AppError } from '@switchyard/protocol';
import type { Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { Interrupt } from '../interrupt.ts';

/** How often it is looked whether the process of a session still lives: one that is killed writes nothing more. */
const holderLookMs = 2_000;

interface StatusFlags {
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** `session status N`: where a session stands, once or until it has ended. */
export function addSessionStatus(session: Command, context: CommandContext): void {
  session
    .command('status <task>')
    .description('show a session')
    .option('-f, --follow', 'go on showing it until it has ended')
    .option('--json', 'print its state as JSON')
    .action((task: string, flags: StatusFlags, command: Command) => {
      const { repository = '.' } = commonOptions(command);
      return status(task, flags, { folder: resolve(context.cwd, repository), context });
    });
}

async function status(
  task: string,
  { follow, json }: StatusFlags,
  { folder, context }: { readonly folder: string; readonly context: CommandContext },
): Promise<void> {
  const { terminal } = context;
  const { findSessionProject } = await import('../review-session/session-project.ts');
  const project = findSessionProject(folder, task);
  const { SessionStore } = await import('../review-session/session-store.ts');
  const { insideProject } = await import('../review-session/session-project.ts');
  const { sessionStatusLines, stoppedText } = await import('../review-session/session-text.ts');
  const { hasEnded } = await import('@switchyard/review');
  const { holderOf } = await import('../review-session/session-run.ts');
  const store = new SessionStore(project);
  let shown = '';
  let toldStopped = false;
  const show = (): boolean => {
    const found = store.read();
    if (found === undefined)
      throw new AppError(
        'E_SESSION_UNKNOWN',
        `there is no session of task ${task}; \`switchyard session start ${task}\` begins one`,
      );
    const isOver = hasEnded(found.state);
    const isStopped = !isOver && holderOf(project) === undefined;
    const text =
      json === true
        ? JSON.stringify(found.state, undefined, 2)
        : sessionStatusLines(found.state, terminal.paint, { isStopped }).join('\n');
    if (text !== shown) {
      for (const warning of found.warnings) terminal.err(`warning: ${warning}\n`);
      terminal.out(`${text}\n${follow === true && json !== true ? '\n' : ''}`);
    }
    // The state as JSON is that of the file, which says nothing of processes.
    if (json === true && isStopped && !toldStopped) terminal.err(`${stoppedText(task)}\n`);
    toldStopped = isStopped;
    shown = text;
    return isOver;
  };
  const isOver = show();
  if (follow !== true || isOver) return;
  const sessions = dirname(insideProject(project, project.state));
  await follows(sessions, { show, holder: () => holderOf(project) });
}

interface Followed {
  /** Shows where it stands; answers whether it has ended. */
  show(this: void): boolean;
  /** The process that has it. */
  holder(this: void): number | undefined;
}

/** Shows it again whenever something changes beside it, or its process is gone, until it has ended or ctrl-C. */
async function follows(folder: string, { show, holder }: Followed): Promise<void> {
  const interrupt = new Interrupt(() => undefined);
  const watcher = watch(folder);
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const ended = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        try {
          if (show()) resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      watcher.on('change', look);
      watcher.on('error', reject);
      let last = holder();
      timer = setInterval(() => {
        const now = holder();
        if (now !== last) look();
        last = now;
      }, holderLookMs);
      // What changed before the watch began.
      look();
    });
    await Promise.race([ended, interrupt.happened]);
  } finally {
    clearInterval(timer);
    watcher.close();
    interrupt.close();
  }
}
