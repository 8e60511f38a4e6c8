import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Grant, Mode, ModeProblem, RoomodesFormat } from '@switchyard/agents';
import { AppError, messageOf } from '@switchyard/protocol';
import { Option, type Command } from 'commander';
import type { CommandContext } from '../context.ts';
import type { FoundModes } from '../roomodes-file.ts';
import { foldWidth, tableText } from '../show-text.ts';

interface ModeOptions {
  readonly file?: string;
  readonly json?: boolean;
  readonly format: RoomodesFormat;
  readonly output?: string;
}

/** `modes …`: what agents may do, built in and of the repository's `.roomodes`; no daemon, no model. */
export function addModes(program: Command, context: CommandContext): void {
  const modes = program
    .command('modes')
    .helpCommand(false)
    .description('list, show and export the modes of agents, ours and those of .roomodes');
  const fileOption = () =>
    new Option('--file <file>', 'a .roomodes file (default: the one at the root of the repository)');
  modes
    .command('list')
    .description('list the modes and their tool groups; check .roomodes')
    .addOption(fileOption())
    .option('--json', 'as JSON')
    .action((options: ModeOptions) => list(options, context));
  modes
    .command('show <slug>')
    .description('print one mode: its words, and the tools that it has')
    .addOption(fileOption())
    .action((slug: string, options: ModeOptions) => show(slug, options, context));
  modes
    .command('export [slugs...]')
    .description('write modes in the form of .roomodes (default: the built-in ones)')
    .addOption(fileOption())
    .addOption(new Option('--format <format>', 'how').choices(['yaml', 'json']).default('yaml'))
    .option('-o, --output <file>', 'where to write it; it must not be there yet (default: standard output)')
    .action((slugs: string[], options: ModeOptions) => exportModes(slugs, options, context));
}

async function list(options: ModeOptions, context: CommandContext): Promise<void> {
  const { builtInModes } = await import('@switchyard/agents');
  const found = await customModes(options, context);
  const known = [...found.modes, ...builtInModes];
  if (options.json === true) {
    const origin = (mode: Mode) => (found.modes.includes(mode) ? found.file : 'built in');
    const shown = known.map((mode) => ({ ...mode, origin: origin(mode) }));
    return context.terminal.out(`${JSON.stringify(shown, undefined, 2)}\n`);
  }
  const rows = known.map((mode) => [
    mode.slug,
    mode.grants.map(grantText).join(' '),
    found.modes.includes(mode) ? (found.file ?? '') : 'built in',
    mode.name,
  ]);
  const [head = '', ...lines] = tableText([['slug', 'tool groups', 'from', 'name'], ...rows], {
    width: foldWidth(context.terminal),
  });
  context.terminal.out(`${[context.terminal.paint.gray(head), ...lines].join('\n')}\n`);
}

async function show(slug: string, options: ModeOptions, context: CommandContext): Promise<void> {
  const { findMode, fullSlug, toolSet } = await import('@switchyard/agents');
  const { modes } = await customModes(options, context);
  const mode = findMode(fullSlug(slug), modes);
  const groups = new Set<string>(mode.grants.map(({ group }) => group));
  const tools = toolSet.filter(({ group }) => group === 'always' || groups.has(group));
  const words = [
    `${mode.slug}: ${mode.name}`,
    `tool groups: ${mode.grants.map(grantText).join(' ')}`,
    `tools: ${tools.map(({ name }) => name).join(', ')}`,
    ...(mode.whenToUse === undefined ? [] : [`when to use: ${mode.whenToUse}`]),
    '',
    mode.roleDefinition,
    ...(mode.customInstructions === undefined ? [] : ['', mode.customInstructions]),
  ];
  context.terminal.out(`${words.join('\n')}\n`);
}

async function exportModes(
  slugs: readonly string[],
  options: ModeOptions,
  context: CommandContext,
): Promise<void> {
  const { builtInModes, findMode, fullSlug, writeRoomodes } = await import('@switchyard/agents');
  const { modes } = await customModes(options, context);
  const chosen = slugs.length === 0 ? builtInModes : slugs.map((slug) => findMode(fullSlug(slug), modes));
  const text = writeRoomodes(chosen, options.format);
  if (options.output === undefined) return context.terminal.out(text);
  try {
    await writeFile(resolve(context.cwd, options.output), text, { flag: 'wx' });
  } catch (cause) {
    throw new AppError('E_USAGE', `${options.output} cannot be written: ${messageOf(cause)}`, { cause });
  }
  context.terminal.out(`wrote ${options.output}\n`);
}

/** Prints what is wrong with the file. Throws AppError E_ROOMODES when a mode of it cannot be used. */
async function customModes(options: ModeOptions, context: CommandContext): Promise<FoundModes> {
  const { findRoomodes } = await import('../roomodes-file.ts');
  const found = findRoomodes(options.file, context);
  for (const problem of found.problems) context.terminal.err(`${problemText(problem)}\n`);
  const errors = found.problems.filter(({ severity }) => severity === 'error').length;
  if (errors > 0)
    throw new AppError(
      'E_ROOMODES',
      `${errors} ${errors === 1 ? 'error' : 'errors'} in ${found.file}; mend them, or name another with --file`,
    );
  return found;
}

function problemText({ file, line, column, severity, message, fix }: ModeProblem): string {
  return `${file}:${line}:${column}: ${severity}: ${message}\n  fix: ${fix}`;
}

function grantText({ group, fileRegex }: Grant): string {
  return fileRegex === undefined ? group : `${group}(${fileRegex})`;
}
