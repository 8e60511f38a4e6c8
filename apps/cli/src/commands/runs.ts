import { resolve } from 'node:path';
import type { RunSummary } from '@switchyard/protocol';
import type { Command } from 'commander';
import { askOrRead } from '../ask-or-read.ts';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { followRun } from '../follow-run.ts';
import { readRuns, unpublishedHere, unpublishedRuns } from '../offline.ts';
import { meantRun, openSession } from '../session.ts';
import { durationText, foldWidth, momentText, oneLine, tableText } from '../show-text.ts';
import { pauseEndText, stateText, unpublishedText } from '../view-text.ts';

/** `runs`: all runs of the repository; `resume RUN`: goes on with one and follows it. */
export function addRuns(program: Command, context: CommandContext): void {
  program
    .command('runs')
    .description('list the runs of this repository, and its review sessions')
    .option('--json', 'as JSON')
    .action((_options, command: Command) => list(command.optsWithGlobals(), context));
  program
    .command('resume <run>')
    .description('go on with a run that was stopped or paused, and follow it')
    .option('--json', 'print one event a line, as JSON')
    .action((name: string, options: { json?: boolean }, command: Command) =>
      resume(name, { ...commonOptions(command), ...options }, context),
    );
}

async function list(options: CommonOptions & { json?: boolean }, context: CommandContext): Promise<void> {
  const { runs, ...seen } = await allRuns(options, context);
  const newestFirst = runs.toSorted((a, b) => b.createdAt - a.createdAt);
  if (options.json === true) {
    const told = newestFirst.map((run) => {
      const unpublished = seen.unpublished.get(run.run);
      return unpublished === undefined ? run : { ...run, unpublished };
    });
    return context.terminal.out(`${JSON.stringify(told, undefined, 2)}\n`);
  }
  const { out, paint } = context.terminal;
  const sessions = await sessionsHere(context, options);
  const after = sessions.length === 0 ? '' : `\n${sessions.join('\n')}\n`;
  if (newestFirst.length === 0) return out(`no runs yet; \`switchyard run PLAN\` starts one\n${after}`);
  const [head = '', ...rows] = tableText(
    [['run', 'state', 'tasks', 'started', 'took', ''], ...newestFirst.map((run) => rowOf(run, seen))],
    { width: foldWidth(context.terminal) },
  );
  out(`${[paint.gray(head), ...rows, ...hints(newestFirst, seen).map(paint.yellow)].join('\n')}\n${after}`);
}

/** All runs, oldest first, from the orchestrator or from the journal. */
function allRuns(
  options: CommonOptions,
  context: CommandContext,
): Promise<Seen & { readonly runs: readonly RunSummary[] }> {
  return askOrRead<Seen & { readonly runs: readonly RunSummary[] }>(context, options, {
    ask: async ({ client }) => {
      const runs = await client.runs();
      return { runs, isServed: true, unpublished: await unpublishedHere(context, options, runs) };
    },
    read: async (repository) => {
      const runs = await readRuns(repository);
      return { runs, isServed: false, unpublished: await unpublishedRuns(repository, runs) };
    },
  });
}

/** Review sessions of this checkout: runs, too, in the eyes of a person. */
async function sessionsHere(context: CommandContext, options: CommonOptions): Promise<string[]> {
  if ((options.hub ?? context.environment.hub) !== undefined) return [];
  const { listSessions, sessionTable } = await import('../review-session/session-list.ts');
  return sessionTable(listSessions(resolve(context.cwd, options.repository ?? '.')), context.terminal);
}

interface Seen {
  readonly isServed: boolean;
  /** Runs whose result is not in the repository yet, and why. */
  readonly unpublished: ReadonlyMap<string, string>;
}

function hints(runs: readonly RunSummary[], { isServed, unpublished }: Seen): string[] {
  const isStopped = runs.some((run) => stateText(run, isServed) === 'stopped');
  const isWaiting = runs.some(({ progress }) => progress.waiting > 0);
  const [one] = unpublished.keys();
  return [
    ...(one === undefined ? [] : [`bring the result into your repository: switchyard resume ${one}`]),
    ...(isStopped ? ['go on with a stopped run: switchyard resume RUN'] : []),
    ...(isWaiting ? ['what waits, and how to answer it: switchyard run show RUN'] : []),
  ];
}

function rowOf(run: RunSummary, { isServed, unpublished }: Seen): string[] {
  const began = run.startedAt ?? run.createdAt;
  const state = stateText(run, isServed);
  const end = state === 'paused' ? pauseEndText(run) : '';
  return [
    run.run,
    state,
    `${run.progress.completed}/${run.progress.total}`,
    momentText(began),
    run.finishedAt === undefined ? '' : durationText(run.finishedAt - began),
    [noteOf(run, unpublished), end].filter(Boolean).join('; '),
  ];
}

function noteOf(run: RunSummary, unpublished: ReadonlyMap<string, string>): string {
  if (run.progress.waiting > 0) return `${run.progress.waiting} waiting for you`;
  const why = unpublished.get(run.run);
  const owed = why === undefined ? '' : unpublishedText(why);
  return [owed, reasonOf(run)].filter(Boolean).join('; ');
}

function reasonOf({ phase, reason }: RunSummary): string {
  return phase === 'completed' || phase === 'running' ? '' : oneLine(reason ?? '');
}

async function resume(
  name: string,
  options: CommonOptions & { json?: boolean },
  context: CommandContext,
): Promise<void> {
  const session = await openSession(context, options, { kind: 'work', flags: [] });
  let run: string;
  try {
    run = await meantRun(session.client, name);
    const { paused, phase } = await session.client.run(run);
    if (paused && phase === 'running') await session.client.resume(run);
  } catch (error) {
    await session.close();
    throw error;
  }
  context.end(await followRun({ context, options, session, run, json: options.json === true }));
}
