import { resolve } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorTable, exitCodes, isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';
import {
  layOutStateFolder,
  programVersion,
  silentLogger,
  systemClock,
  type StateFolder,
} from '@switchyard/runtime';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { findRepository, runningOrchestrator, stateRootAsked } from '@switchyard/access';
import { columnsOf, foldText, foldWidth, padTo } from '../show-text.ts';
import { stateChecks } from '../state-checks.ts';

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'wrong' | 'note';
  readonly text: string;
  /** What to do, where there is something to do. */
  readonly mend?: string;
  readonly code?: ErrorCode;
  readonly exitCode?: number;
}

/** `doctor`: what this machine and the state folder have, what is missing or wrong, and how to mend it. */
export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say what this machine and the state folder have, what is wrong, and how to mend it')
    .option('--json', 'as JSON')
    .action(async (_options, command: Command) => {
      const checks: Check[] = [
        note('switchyard', programVersion),
        note('node', `${process.versions.node} (${process.platform} ${process.arch})`),
        await tried('git', gitVersion),
        await tried('sandbox', () => sandboxTier(context)),
        ...(await toolchainChecks(context)),
        ...(await agentChecks(context)),
        ...(await modelChecks(context)),
        ...(await mcpChecks(context)),
        ...(await repositoryChecks(context, commonOptions(command))),
      ];
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      const lines = checks.map((check) => lineOf(check, context));
      context.terminal.out(
        json === true ? `${JSON.stringify(checks, undefined, 2)}\n` : `${lines.join('\n')}\n`,
      );
      context.end(exitCodeOf(checks));
    });
}

/** Of the first thing that is missing or wrong. */
function exitCodeOf(checks: readonly Check[]): number {
  const first = checks.find(({ state }) => state === 'missing' || state === 'wrong');
  const ofCode = first?.code && exitCodes[errorTable[first.code].exit].code;
  return first?.exitCode ?? ofCode ?? exitCodes.ok.code;
}

/** Of the sign and the space behind it. */
const signColumns = 8;

function lineOf({ name, state, text, code, mend }: Check, { terminal }: CommandContext): string {
  const sign = {
    ok: terminal.paint.green('ok     '),
    missing: terminal.paint.red('missing'),
    wrong: terminal.paint.red('wrong  '),
    note: '       ',
  }[state];
  const words = code === undefined || state === 'missing' ? text : `${code}: ${text}`;
  const width = foldWidth(terminal);
  const head = `${padTo(name, 12)} `;
  // On a narrow screen the words stand below the name.
  const indent = signColumns + (width < 80 ? 0 : head.length);
  // Commands that mend something stay in one line.
  const lines = [
    ...words.split('\n').flatMap((line) => foldText(line, width - indent)),
    ...(mend === undefined ? [] : mend.split('\n').map((line, at) => (at === 0 ? `→ ${line}` : line))),
  ];
  const isBelow = lines.length > 1 || columnsOf(`${head}${lines[0] ?? ''}`) > width - signColumns;
  const first =
    width < 80 && isBelow ? [head.trimEnd(), ...lines] : [`${head}${lines[0] ?? ''}`, ...lines.slice(1)];
  return `${sign} ${first.join(`\n${' '.repeat(indent)}`)}`;
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
    const code = isAppError(error) ? { code: error.code } : {};
    return { name, state: 'missing', text: `${messageOf(error)}${fix}`, exitCode, ...code };
  }
}

async function gitVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['--version']);
  return stdout.trim().replace('git version ', '');
}

/** The tier that this machine reaches, tested, with what it holds and how. */
async function sandboxTier({ environment }: CommandContext): Promise<string> {
  const { openSandbox } = await import('@switchyard/guard');
  const searchPath = environment.all['PATH'];
  const sandbox = await openSandbox({
    mode: 'auto',
    logger: silentLogger(),
    clock: systemClock,
    ...(searchPath !== undefined && { searchPath }),
  });
  await sandbox.close();
  return [`${sandbox.tier}, tested`, ...sandbox.notes].join('\n');
}

/** What the commands of tasks find, and which entries of PATH they do not. */
async function toolchainChecks({ environment }: CommandContext): Promise<Check[]> {
  const { toolchains } = await import('@switchyard/guard');
  const tools = toolchains({ searchPath: environment.all['PATH'] });
  const visible = tools.filter((tool) => tool.visible).map((tool) => [tool.name, ...tool.folders].join(' '));
  const hidden = tools.filter((tool) => !tool.visible);
  const reasons = hidden.map(({ name, reason }) => `${name}: ${reason ?? 'not known'}`);
  return [
    { name: 'toolchains', state: 'ok', text: `system, ${visible.join(', ')}` },
    ...(hidden.length === 0
      ? []
      : [
          {
            name: 'hidden',
            state: 'note' as const,
            text: `${reasons.join('\n')}\n(commands of tasks do not see them)`,
          },
        ]),
  ];
}

/** Which agents plans can name here, and how the others are installed. */
async function agentChecks({ environment }: CommandContext): Promise<Check[]> {
  const { agentStates, programSearch, readAgents } = await import('@switchyard/agents');
  const { all } = environment;
  try {
    const search = programSearch(all['SWITCHYARD_AGENT_FOLDERS'], all);
    const states = agentStates(readAgents(all['SWITCHYARD_AGENTS']), search);
    const usable = states.filter(({ path }) => path !== undefined);
    const missing = states.filter(({ path }) => path === undefined);
    const lines = usable.map(
      ({ name, kind, spec, path }) => `${name} (${kind}): ${path}${untested(spec[kind])}`,
    );
    const ways = missing.map(({ name, kind, spec }) => {
      const how = spec.install === undefined ? '' : `: \`npm install ${spec.install}\``;
      return `${name} (${kind})${how}${untested(spec[kind])}`;
    });
    return [
      {
        name: 'agents',
        state: lines.length > 0 ? 'ok' : 'note',
        text: lines.join('\n') || 'none is installed',
      },
      ...(ways.length === 0
        ? []
        : [
            {
              name: 'not here',
              state: 'note' as const,
              text: `agents that are known and not installed:\n${ways.join('\n')}`,
            },
          ]),
    ];
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, message, exitCode } = error;
    return [{ name: 'agents', state: 'wrong', text: message, code, exitCode }];
  }
}

function untested(launch: { readonly untested?: string | undefined } | undefined): string {
  return launch?.untested === undefined ? '' : ` (untested: ${launch.untested})`;
}

/** Which providers can be asked here, and what their answers are priced by. */
async function modelChecks({ environment }: CommandContext): Promise<Check[]> {
  const { pricesAsOf, providersOf, readModelsFile } = await import('@switchyard/agents');
  const { all } = environment;
  try {
    const file = all['SWITCHYARD_MODELS'];
    const models = readModelsFile(file === undefined ? undefined : resolve(file));
    const lines = providersOf(models, all).map(({ name, baseUrl, key }) => {
      const keyless = key() === undefined ? ', without a key' : '';
      return `${name}: ${baseUrl}${keyless}`;
    });
    const own = Object.keys(models.prices);
    const prices = `list prices of ${pricesAsOf}${own.length === 0 ? '; others go into `prices` of the models file' : `; of the models file: ${own.join(', ')}`}`;
    return [
      {
        name: 'models',
        state: 'note',
        text: [...(lines.length === 0 ? ['no provider is configured'] : lines), prices].join('\n'),
      },
    ];
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, message, exitCode } = error;
    return [{ name: 'models', state: 'wrong', text: message, code, exitCode }];
  }
}

/** Which MCP servers tasks can name here, and what the others lack. */
async function mcpChecks({ environment }: CommandContext): Promise<Check[]> {
  const { mcpServerStates, programSearch, readMcpServers } = await import('@switchyard/agents');
  const { all } = environment;
  try {
    const search = programSearch(all['SWITCHYARD_AGENT_FOLDERS'], all);
    const states = mcpServerStates(readMcpServers(all['SWITCHYARD_MCP_SERVERS']), search, all);
    const lines = states.map(({ name, spec, program, missingEnv }) => {
      const lacks = [
        ...(program === undefined
          ? [spec.install ? `\`npm install ${spec.install}\`` : `the program ${spec.program}`]
          : []),
        ...missingEnv.map((variable) => `the variable ${variable}`),
      ];
      return lacks.length === 0 ? `${name}: usable (${program?.path})` : `${name}: needs ${lacks.join(', ')}`;
    });
    return [{ name: 'MCP servers', state: 'note', text: lines.join('\n') }];
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, message, exitCode } = error;
    return [{ name: 'MCP servers', state: 'wrong', text: message, code, exitCode }];
  }
}

async function repositoryChecks(context: CommandContext, options: CommonOptions): Promise<Check[]> {
  try {
    const { workTree, folder } = await findRepository(context, options);
    return [{ name: 'repository', state: 'ok', text: workTree }, ...(await folderChecks(folder))];
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, message, exitCode } = error;
    const state = exitCode === exitCodes.repository.code ? 'note' : 'missing';
    const asked = stateRootAsked(context, options);
    const named = asked === undefined ? [] : await folderChecks(layOutStateFolder(asked));
    return [{ name: 'repository', state, text: message, exitCode, code }, ...named];
  }
}

async function folderChecks(folder: StateFolder): Promise<Check[]> {
  const running = runningOrchestrator(folder);
  const text = running === undefined ? 'none runs' : `process ${running.pid} at ${running.url}`;
  return [
    { name: 'orchestrator', state: 'note', text },
    ...(await stateChecks(folder, running !== undefined)),
  ];
}
