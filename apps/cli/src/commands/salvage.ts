import { AppError, keptKinds, runId, type KeptKind, type RunView } from '@switchyard/protocol';
import { systemClock } from '@switchyard/runtime';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { chooseKept, keptBranch, keptName, keptOf, keptWords, type KeptOfTask } from '../kept-work.ts';
import { readRun, readViews } from '../offline.ts';
import { findRepository, type FoundRepository } from '@switchyard/access';
import { stoppedHint, withSession } from '../session.ts';
import { durationText, foldWidth, oneLine, plainLines, tableText } from '../show-text.ts';

interface Chosen {
  readonly attempt?: number;
  readonly kind?: KeptKind;
}

/**
 * `salvage list|show|take`: late results and work in progress of attempts that came to nothing. Reads the journal and the
 * private repository, whether an orchestrator runs or not.
 */
export function addSalvage(program: Command, context: CommandContext): void {
  const salvage = program
    .command('salvage')
    .helpCommand(false)
    .description('late results and work in progress that were kept: list, show or take them');
  salvage
    .command('list [run]')
    .description('list what is kept, the newest first')
    .option('--json', 'as JSON')
    .action((name: string | undefined, _options, command: Command) =>
      list(name, command.optsWithGlobals(), context),
    );
  choosing(salvage.command('show <run> <task>'))
    .description('print what it changed as a patch: `| git apply` takes it')
    .option('--stat', 'only the names of the files')
    .action((name: string, task: string, options: Chosen & { stat?: boolean }, command: Command) =>
      show({ name, task, ...options }, commonOptions(command), context),
    );
  choosing(salvage.command('take <run> <task>'))
    .description('make a branch of it in your repository; your checkout stays as it is')
    .option('--branch <name>', 'the name of the branch')
    .option('--next', 'make no branch; let the next attempt of the task go on from it')
    .action((name: string, task: string, options: TakeOptions, command: Command) =>
      take({ name, task, ...options }, commonOptions(command), context),
    );
}

/** Which one, where a task has several: else the newest attempt, and its late result before its work in progress. */
function choosing(command: Command): Command {
  return command
    .option('--attempt <number>', 'of this attempt (default: the newest that has one)', attemptOf)
    .addOption(new Option('--kind <kind>', 'which of the two').choices(keptKinds));
}

function attemptOf(text: string): number {
  const attempt = Number(text);
  if (!Number.isInteger(attempt) || attempt < 1)
    throw new InvalidArgumentError('It must be a number from 1.');
  return attempt;
}

async function list(
  name: string | undefined,
  options: CommonOptions & { json?: boolean },
  context: CommandContext,
): Promise<void> {
  const repository = await findRepository(context, options);
  const views = name === undefined ? await readViews(repository) : [await readRun(repository, name)];
  const all = keptOf(views);
  const { openKeptWork } = await import('@switchyard/repo');
  const git = openKeptWork(repository.folder.gitDir, repository.user);
  const standing = (await git?.standing(all.map(({ ref }) => ref))) ?? new Set();
  const there = all.filter(({ ref }) => standing.has(ref));
  const rows = await Promise.all(
    there.map(async (kept) => ({ ...kept, files: (await git?.changes(kept)) ?? [] })),
  );
  const { terminal } = context;
  if (options.json === true) return terminal.out(`${JSON.stringify(rows, undefined, 2)}\n`);
  const expired = all.length - there.length;
  if (expired > 0) terminal.err(`${expired} ${expired === 1 ? 'has' : 'have'} expired\n`);
  const [newest] = rows;
  if (newest === undefined) return terminal.out('nothing is kept\n');
  const now = systemClock.now();
  const [head = '', ...lines] = tableText(
    [
      ['run', 'task', 'attempt', 'kind', 'worker', 'age', 'files', ''],
      ...rows.map((kept) => rowOf(kept, now)),
    ],
    { width: foldWidth(terminal) },
  );
  terminal.out(
    `${[
      terminal.paint.gray(head),
      ...lines,
      terminal.paint.yellow(`look at one: switchyard salvage show ${keptWords(newest)}`),
      terminal.paint.yellow(`take it:     switchyard salvage take ${keptWords(newest)}`),
    ].join('\n')}\n`,
  );
}

function rowOf(kept: KeptOfTask & { readonly files: readonly { path: string }[] }, now: number): string[] {
  const { run, taskId, attempt, kind, worker, at, files, isNext } = kept;
  const [first] = files;
  const more = files.length > 1 ? ` and ${files.length - 1} more` : '';
  const names = first === undefined ? 'none' : `${oneLine(first.path)}${more}`;
  const next = isNext ? 'the next attempt goes on from it' : '';
  return [run, oneLine(taskId), String(attempt), keptName(kind), worker, durationText(now - at), names, next];
}

interface Meant extends Chosen {
  readonly name: string;
  readonly task: string;
}

/** What is meant, with its repository. Throws AppError E_NOT_FOUND where it has expired. */
async function find({ name, task, ...choice }: Meant, repository: FoundRepository) {
  const view: RunView = await readRun(repository, name);
  const kept = chooseKept(view, task, choice);
  const { openKeptWork } = await import('@switchyard/repo');
  const git = openKeptWork(repository.folder.gitDir, repository.user);
  if (git === undefined || !(await git.standing([kept.ref])).has(kept.ref))
    throw new AppError(
      'E_NOT_FOUND',
      `${kept.ref} has expired; \`switchyard salvage list\` shows what is left`,
    );
  return { kept, git };
}

async function show(
  meant: Meant & { readonly stat?: boolean },
  options: CommonOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { kept, git } = await find(meant, await findRepository(context, options));
  terminal.err(
    `${keptName(kept.kind)} of attempt ${kept.attempt} by ${kept.worker}, commit ${kept.commit} on ${kept.base}\n`,
  );
  if (meant.stat === true) {
    const changes = await git.changes(kept);
    return terminal.out(changes.map(({ path, change }) => `${change}  ${oneLine(path)}\n`).join(''));
  }
  const patch = (await git.patch(kept)).toString('utf8');
  terminal.out(terminal.isScreen ? plainLines(patch) : patch);
}

interface TakeOptions extends Chosen {
  readonly branch?: string;
  readonly next?: boolean;
}

async function take(
  meant: Meant & TakeOptions,
  options: CommonOptions,
  context: CommandContext,
): Promise<void> {
  const { kept, git } = await find(meant, await findRepository(context, options));
  const { out } = context.terminal;
  if (meant.next !== true || meant.branch !== undefined) {
    const branch = meant.branch ?? keptBranch(kept);
    await git.makeBranch(branch, kept.commit);
    out(`branch ${branch}: your checkout is as it was\n`);
    out(`  look at it: git show ${branch}\n  bring it in: git cherry-pick ${branch}\n`);
  }
  if (meant.next !== true) return;
  const { run, taskId, attempt, kind } = kept;
  const hint = await withSession({ context, options, mode: { kind: 'look' } }, async (session) => {
    await session.client.takeUp({ run: runId.parse(run), taskId, attempt, kind });
    return stoppedHint(session, run);
  });
  out(
    `the next attempt of ${oneLine(taskId)} goes on from the ${keptName(kind)} of attempt ${attempt}${hint}\n`,
  );
}
