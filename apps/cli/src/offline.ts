import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunHistory } from '@switchyard/history';
import { AppError, type RunReport, type RunSummary, type RunView } from '@switchyard/protocol';
import type { JournalReader } from '@switchyard/store';
import { silentLogger } from '@switchyard/runtime';
import type { CommandContext, CommonOptions } from './context.ts';
import {
  findRepository,
  matchRun,
  runningOrchestrator,
  type FoundRepository,
  type RepositoryState,
} from '@switchyard/access';

/**
 * The repository, where no orchestrator can be asked: none is named, and none runs, or it is ending. What it did is read from the journal
 * then, and nothing is started, changed or taken over.
 */
export async function unservedRepository(
  context: CommandContext,
  options: CommonOptions,
): Promise<FoundRepository | undefined> {
  if ((options.hub ?? context.environment.hub) !== undefined) return undefined;
  const repository = await findRepository(context, options);
  return runningOrchestrator(repository.folder)?.draining === false ? undefined : repository;
}

/** Opens the journal to read it, does one thing with it, and closes it. Absent: there is no journal yet. */
export async function withJournal<Result>(
  { folder }: RepositoryState,
  work: (reader: JournalReader | undefined) => Result,
): Promise<Result> {
  // Loaded when it is needed: a library with native code.
  const { openJournalReader } = await import('@switchyard/store');
  const reader = openJournalReader(folder.journalFile);
  try {
    return work(reader);
  } finally {
    reader?.close();
  }
}

/** All runs, oldest first. */
export async function readRuns(repository: RepositoryState): Promise<RunSummary[]> {
  const { recover } = await import('@switchyard/history');
  const { summaryOf } = await import('@switchyard/scheduler');
  return withJournal(repository, (journal) => {
    if (journal === undefined) return [];
    const { histories } = recover({ journal, shelf: journal.shelf, logger: silentLogger() });
    return [...histories.values()].map(({ state }) => summaryOf(state));
  });
}

/**
 * Those that have ended and whose result is not in the user's repository yet, and why, if their orchestrator has said so:
 * it could not, or was killed in between (not told of one that runs). The next one brings it there. It writes the report
 * last.
 */
export async function unpublishedRuns(
  { folder, user }: FoundRepository,
  runs: readonly RunSummary[],
  isServed = false,
): Promise<ReadonlyMap<string, string>> {
  const why = (run: string): string => join(folder.runs, run, 'unpublished.txt');
  const owed = runs.filter(
    ({ run, finishedAt, base, tip }) =>
      finishedAt !== undefined &&
      tip !== base &&
      (existsSync(why(run)) || (!isServed && !existsSync(join(folder.runs, run, 'report.json')))),
  );
  if (owed.length === 0) return new Map();
  const { publishedTips } = await import('@switchyard/repo');
  const tips = await publishedTips(user.gitDir);
  const missing = owed.filter(({ run, tip }) => tips.get(run) !== tip).map(({ run }) => String(run));
  return new Map(missing.map((run) => [run, existsSync(why(run)) ? readFileSync(why(run), 'utf8') : '']));
}

/** The same beside an orchestrator that runs; of one on another machine nothing is known. */
export async function unpublishedHere(
  context: CommandContext,
  options: CommonOptions,
  runs: readonly RunSummary[],
): Promise<ReadonlyMap<string, string>> {
  if ((options.hub ?? context.environment.hub) !== undefined) return new Map();
  return unpublishedRuns(await findRepository(context, options), runs, true);
}

/** All runs with their tasks, oldest first. */
export async function readViews(repository: RepositoryState): Promise<RunView[]> {
  const { recover } = await import('@switchyard/history');
  const { viewOf } = await import('@switchyard/scheduler');
  return withJournal(repository, (journal) => {
    if (journal === undefined) return [];
    const { histories } = recover({ journal, shelf: journal.shelf, logger: silentLogger() });
    return [...histories.values()].map(({ state }) => viewOf(state));
  });
}

/** One run with its tasks; `name`: whole, or a beginning that no other has. Throws AppError E_RUN_UNKNOWN. */
export async function readRun(repository: RepositoryState, name: string): Promise<RunView> {
  const { viewOf } = await import('@switchyard/scheduler');
  return withHistory(repository, name, ({ state }) => viewOf(state));
}

/** The same, with what was tried with each task. Throws AppError E_RUN_UNKNOWN. */
export async function readRunTasks(
  repository: RepositoryState,
  name: string,
): Promise<Pick<RunReport, 'view' | 'tasks'>> {
  const { viewOf } = await import('@switchyard/scheduler');
  const { reportOfHistory } = await import('@switchyard/history');
  return withHistory(repository, name, (history) => ({
    view: viewOf(history.state),
    tasks: reportOfHistory(history).tasks,
  }));
}

async function withHistory<Result>(
  repository: RepositoryState,
  name: string,
  work: (history: RunHistory) => Result,
): Promise<Result> {
  const { recover } = await import('@switchyard/history');
  return withJournal(repository, (journal) => {
    const run = matchRun(journal?.streams() ?? [], name);
    const shelf = journal?.shelf;
    const histories = journal && recover({ journal, shelf, logger: silentLogger() }).histories;
    const history = histories?.get(run);
    if (history === undefined) throw new AppError('E_RUN_UNKNOWN', `there is no run ${run}`);
    return work(history);
  });
}
