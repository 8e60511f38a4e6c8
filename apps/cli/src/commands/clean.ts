import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AppError, type RunView } from '@switchyard/protocol';
import { acquireLock, openStateFolder, removeTree, systemClock, writeState } from '@switchyard/runtime';
import { InvalidArgumentError, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { keptOf } from '../kept-work.ts';
import { readViews } from '../offline.ts';
import { findRepository } from '@switchyard/access';

interface CleanOptions {
  readonly olderThan: number;
  readonly keepWork: number;
  readonly dryRun?: boolean;
}

const dayMs = 24 * 60 * 60_000;

/**
 * `clean`: removes what can be made again or is old; never the journal, never git's objects, and nothing of a run that has
 * not ended.
 */
export function addClean(program: Command, context: CommandContext): void {
  program
    .command('clean')
    .description('remove old checkouts, layers, clones and reports from the state folder')
    .option('--older-than <days>', 'keep what was used in the last days', daysOf, 14)
    .option(
      '--keep-work <days>',
      'keep late results and work in progress for these days after their run has ended',
      daysOf,
      30,
    )
    .option('--dry-run', 'only say what would go')
    .action((options: CleanOptions, command: Command) => clean(options, command, context));
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!(days >= 0)) throw new InvalidArgumentError('It must be a number of days.');
  return days;
}

async function clean(options: CleanOptions, command: Command, context: CommandContext): Promise<void> {
  const repository = await findRepository(context, commonOptions(command));
  const folder = openStateFolder(repository.folder.root);
  const lock = writeState(folder.root, () => acquireLock(folder.lockFile));
  if (lock.kind === 'taken')
    throw new AppError(
      'E_STATE_LOCKED',
      `process ${lock.holder.pid} uses ${folder.root}; end it first with \`switchyard down\``,
    );
  try {
    const now = systemClock.now();
    const before = now - options.olderThan * dayMs;
    const views = await readViews(repository);
    const open = new Set(
      views.filter(({ finishedAt }) => finishedAt === undefined).map(({ run }) => join(folder.runs, run)),
    );
    const old = [
      // Checkouts are thrown away by their maker; what is left is of a crash.
      ...(await entriesBefore(folder.checkouts, Infinity)),
      ...(await entriesBefore(folder.layers, before)),
      ...(await entriesBefore(folder.peers, before)),
      ...(await entriesBefore(folder.runs, before)).filter((path) => !open.has(path)),
    ];
    const { out } = context.terminal;
    const { openKeptWork } = await import('@switchyard/repo');
    const git = openKeptWork(folder.gitDir, repository.user);
    const expired = expiredRefs((await git?.refs()) ?? [], views, now - options.keepWork * dayMs);
    if (old.length + expired.length === 0) return out(`nothing to remove in ${folder.root}\n`);
    if (options.dryRun !== true && expired.length > 0) await git?.drop(expired);
    out(expired.map((ref) => `  ${ref}\n`).join(''));
    for (const path of old) {
      if (options.dryRun !== true) await removeTree(path);
      out(`  ${relative(folder.root, path)}\n`);
    }
    const counts = [countText(old.length, 'folder'), countText(expired.length, 'ref')];
    const verb = options.dryRun === true ? 'would remove' : 'removed';
    out(`${verb} ${counts.filter((count) => count !== '').join(' and ')} of ${folder.root}\n`);
  } finally {
    lock.release();
  }
}

/**
 * Refs of kept work whose run ended before a time, and which are older themselves: a result may come in after the end.
 * Those of a run that the journal does not know are left alone.
 */
export function expiredRefs(
  refs: readonly { readonly ref: string; readonly run: string }[],
  views: readonly RunView[],
  before: number,
): string[] {
  const ends = new Map(views.map(({ run, finishedAt }) => [String(run), finishedAt ?? Infinity]));
  const keptAt = new Map(keptOf(views).map(({ ref, at }) => [ref, at]));
  return refs.flatMap(({ ref, run }) => {
    const since = Math.max(ends.get(run) ?? Infinity, keptAt.get(ref) ?? 0);
    return since < before ? [ref] : [];
  });
}

function countText(count: number, one: string): string {
  return count === 0 ? '' : `${count} ${one}${count === 1 ? '' : 's'}`;
}

async function entriesBefore(folder: string, before: number): Promise<string[]> {
  const paths = (await readdir(folder)).map((name) => join(folder, name));
  const stats = await Promise.all(paths.map((path) => lstat(path)));
  return paths.filter((_, at) => (stats[at]?.mtimeMs ?? Infinity) < before);
}
