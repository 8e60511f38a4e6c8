import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorTable, exitCodes, isAppError, messageOf } from '@switchyard/protocol';
import { programVersion, silentLogger, systemClock } from '@switchyard/runtime';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { findRepository, runningOrchestrator } from '../repository-state.ts';
import { padTo } from '../show-text.ts';

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'note';
  readonly text: string;
  readonly exitCode?: number;
}

/** `doctor`: what this machine has, what is missing, and the command that mends it. */
export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say what this machine has and what is missing')
    .action(async (_options, command: Command) => {
      const checks = [
        note('switchyard', programVersion),
        note('node', `${process.versions.node} (${process.platform} ${process.arch})`),
        await tried('git', gitVersion),
        await tried('sandbox', sandboxTier),
        ...(await toolchainChecks(context)),
        ...(await repositoryChecks(context, commonOptions(command))),
      ];
      context.terminal.out(`${checks.map((check) => lineOf(check, context)).join('\n')}\n`);
      context.end(checks.find((check) => check.state === 'missing')?.exitCode ?? exitCodes.ok.code);
    });
}

function lineOf({ name, state, text }: Check, { terminal }: CommandContext): string {
  const sign = {
    ok: terminal.paint.green('ok     '),
    missing: terminal.paint.red('missing'),
    note: '       ',
  }[state];
  return `${sign} ${padTo(name, 12)} ${text.replaceAll('\n', `\n${' '.repeat(21)}`)}`;
}

function note(name: string, text: string): Check {
  return { name, state: 'ok', text };
}

async function tried(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, state: 'ok', text: await look() };
  } catch (error) {
    const row = isAppError(error) ? errorTable[error.code] : undefined;
    const fix = row === undefined ? '' : `\n${row.text}`;
    const exitCode = isAppError(error) ? error.exitCode : exitCodes.setupMissing.code;
    return { name, state: 'missing', text: `${messageOf(error)}${fix}`, exitCode };
  }
}

async function gitVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['--version']);
  return stdout.trim().replace('git version ', '');
}

async function sandboxTier(): Promise<string> {
  const { openSandbox } = await import('@switchyard/guard');
  const sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
  await sandbox.close();
  return sandbox.tier;
}

/** What the commands of tasks find, and which entries of PATH they do not. */
async function toolchainChecks({ environment }: CommandContext): Promise<Check[]> {
  const { toolchains } = await import('@switchyard/guard');
  const tools = toolchains({ searchPath: environment.all['PATH'] });
  const visible = tools.filter((tool) => tool.visible).map((tool) => [tool.name, ...tool.folders].join(' '));
  const hidden = tools.filter((tool) => !tool.visible).map((tool) => tool.name);
  const why = 'on PATH, but outside the system folders; commands of tasks do not see them';
  return [
    { name: 'toolchains', state: 'ok', text: `system, ${visible.join(', ')}` },
    ...(hidden.length === 0
      ? []
      : [{ name: 'hidden', state: 'note' as const, text: `${hidden.join('\n')}\n(${why})` }]),
  ];
}

async function repositoryChecks(context: CommandContext, options: CommonOptions): Promise<Check[]> {
  try {
    const { workTree, folder } = await findRepository(context, options);
    const running = runningOrchestrator(folder);
    return [
      { name: 'repository', state: 'ok', text: workTree },
      { name: 'state', state: 'ok', text: folder.root },
      {
        name: 'orchestrator',
        state: 'note',
        text: running === undefined ? 'none runs' : `process ${running.pid} at ${running.url}`,
      },
    ];
  } catch (error) {
    if (!isAppError(error)) throw error;
    const state = error.exitCode === exitCodes.repository.code ? 'note' : 'missing';
    return [{ name: 'repository', state, text: error.message, exitCode: error.exitCode }];
  }
}
