import { lstat, readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AppError } from '@switchyard/protocol';
import { acquireLock, systemClock } from '@switchyard/runtime';
import { InvalidArgumentError, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { findRepository } from '../repository-state.ts';

interface CleanOptions {
  readonly olderThan: number;
  readonly dryRun?: boolean;
}

const dayMs = 24 * 60 * 60_000;

/** `clean`: removes what can be made again or is old; never the journal, never git's objects. */
export function addClean(program: Command, context: CommandContext): void {
  program
    .command('clean')
    .description('remove old checkouts, layers, clones and reports from the state folder')
    .option('--older-than <days>', 'keep what was used in the last days', daysOf, 14)
    .option('--dry-run', 'only say what would go')
    .action((options: CleanOptions, command: Command) => clean(options, command, context));
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!(days >= 0)) throw new InvalidArgumentError('It must be a number of days.');
  return days;
}

async function clean(options: CleanOptions, command: Command, context: CommandContext): Promise<void> {
  const { folder } = await findRepository(context, commonOptions(command));
  const lock = acquireLock(join(folder.root, 'orchestrator.lock'));
  if (lock.kind === 'taken')
    throw new AppError(
      'E_STATE_LOCKED',
      `process ${lock.holder.pid} uses ${folder.root}; end it first with \`switchyard down\``,
    );
  try {
    const before = systemClock.now() - options.olderThan * dayMs;
    const old = [
      // Checkouts are thrown away by their maker; what is left is of a crash.
      ...(await entriesBefore(folder.checkouts, Infinity)),
      ...(await entriesBefore(folder.layers, before)),
      ...(await entriesBefore(folder.peers, before)),
      ...(await entriesBefore(folder.runs, before)),
    ];
    const { out } = context.terminal;
    if (old.length === 0) return out(`nothing to remove in ${folder.root}\n`);
    for (const path of old) {
      if (options.dryRun !== true) await rm(path, { recursive: true, force: true });
      out(`  ${relative(folder.root, path)}\n`);
    }
    const count = `${old.length} ${old.length === 1 ? 'folder' : 'folders'}`;
    out(`${options.dryRun === true ? 'would remove' : 'removed'} ${count} of ${folder.root}\n`);
  } finally {
    lock.release();
  }
}

async function entriesBefore(folder: string, before: number): Promise<string[]> {
  const paths = (await readdir(folder)).map((name) => join(folder, name));
  const stats = await Promise.all(paths.map((path) => lstat(path)));
  return paths.filter((_, at) => (stats[at]?.mtimeMs ?? Infinity) < before);
}
