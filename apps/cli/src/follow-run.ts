import { writtenReport } from '@switchyard/access';
import type { RunHandle } from '@switchyard/client';
import {
  AppError,
  exitCodes,
  isAppError,
  type PayloadOf,
  type PeerView,
  type RunEvent,
  type RunView,
} from '@switchyard/protocol';
import { systemClock } from '@switchyard/runtime';
import type { CommandContext, CommonOptions } from './context.ts';
import { eventLine, idWidthOf, isTold } from './event-text.ts';
import { Interrupt } from './interrupt.ts';
import { LiveScreen } from './live-screen.ts';
import { answerText, waitsForAnswer } from './waiting-text.ts';
import type { PlanTicker } from './plan-ticker.ts';
import { publishedPlace } from './published-place.ts';
import { foldWidth } from './show-text.ts';
import { closingLines, rejectedFindings, summaryLines } from './run-summary.ts';
import type { Session } from './session.ts';

/** How to follow a run. */
export interface FollowOptions {
  readonly context: CommandContext;
  /** Where the orchestrator is, as the command was told. */
  readonly options: CommonOptions;
  readonly session: Session;
  readonly run: string;
  /** One event a line, as JSON, and nothing else on standard output. */
  readonly json: boolean;
  /** A progress document that is kept up to date meanwhile. */
  readonly progress?: string | undefined;
  /** Ticks the boxes of the plan meanwhile. */
  readonly ticker?: PlanTicker | undefined;
}

/** Shows a run until it has ended or ctrl-C; the answer is the exit code. Closes the session. */
export async function followRun(options: FollowOptions): Promise<number> {
  const { session, run, context } = options;
  const interrupt = new Interrupt(() => session.own?.kill());
  const handle = session.client.watch(run);
  const display = displayOf(options, handle);
  try {
    await handle.opened;
    const end = Promise.race([handle.finished, interrupt.happened, session.gone]);
    const kept = keepProgress(options, handle, end);
    const ticks = options.ticker?.followBeside(handle, end);
    const ended = await end;
    await Promise.all([kept, ticks]);
    display.close(ended === 'interrupted' || ended instanceof AppError ? 'leave' : 'clear');
    for (const line of options.ticker?.lines(handle.view()) ?? [])
      (options.json ? context.terminal.err : context.terminal.out)(`${line}\n`);
    if (ended === 'interrupted') return await leave(options);
    if (ended instanceof AppError)
      throw new AppError(
        ended.code,
        `${ended.message}; run ${run} is kept. To go on with it: switchyard resume ${run}`,
      );
    const got = await reportOf(options);
    if (!options.json) context.terminal.out(`${(await closing(options, ended, got)).join('\n')}\n`);
    await session.close();
    return exitCodeOf(ended);
  } catch (error) {
    display.close();
    await session.stop('its command has failed');
    throw error;
  } finally {
    handle.close();
    interrupt.close();
  }
}

async function keepProgress(
  { progress: file, session, run, context }: FollowOptions,
  handle: RunHandle,
  end: Promise<unknown>,
): Promise<void> {
  if (file === undefined) return;
  const { ProgressKeeper } = await import('./progress-keeper.ts');
  await new ProgressKeeper({ session, run, file, context, isTold: false }).followBeside(handle, end);
}

/** A run that ended with anything but completed tasks is told by the exit code. */
export function exitCodeOf({ phase, progress }: RunView): number {
  const isGood = phase === 'completed' && progress.failed + progress.skipped + progress.cancelled === 0;
  return isGood ? exitCodes.ok.code : exitCodes.runFailed.code;
}

/** ctrl-C: an orchestrator of our own drains and ends, with the run kept; from one that others use we go away. */
async function leave({ session, run, context }: FollowOptions): Promise<number> {
  const { terminal, environment } = context;
  // A terminal has shown `^C` where the cursor was.
  const err = (text: string): void => terminal.err(terminal.isScreen ? `\n${text}` : text);
  if (session.own === undefined || (await session.isShared())) {
    const others = session.own === undefined ? '' : ', since others use its orchestrator as well';
    err(`detached; run ${run} goes on${others}. To follow it again: switchyard resume ${run}\n`);
    await session.close();
  } else {
    const goOn = `nothing is lost. To go on with this run: switchyard resume ${run}`;
    err(`stopping; ${environment.thrownAway ? 'the run and its copy of the repository go' : goOn}\n`);
    for (const other of environment.thrownAway ? [] : await othersOn(session, run))
      terminal.err(
        `run ${other} stops with its orchestrator; to go on with it: switchyard resume ${other}\n`,
      );
    await session.stop('ctrl-C');
  }
  return exitCodes.interrupted.code;
}

/** Runs that work on the orchestrator of this command with nobody there, as those of `--detach`. */
async function othersOn({ client }: Session, run: string): Promise<readonly string[]> {
  try {
    const open = (await client.runs()).filter(({ phase, paused }) => phase === 'running' && !paused);
    return open.map((other) => other.run).filter((other) => other !== run);
  } catch (error) {
    if (isAppError(error)) return []; // its connection is gone; it ends all the same
    throw error;
  }
}

type Report = PayloadOf<'report-got'>;

/** A run that has ended stays so without a report. */
async function reportOf({ session, run, context }: FollowOptions): Promise<Report | undefined> {
  try {
    return await writtenReport(session.client, run, systemClock);
  } catch (error) {
    if (!isAppError(error)) throw error;
    context.terminal.err(`the report is missing (${error.code}): ${error.message}\n`);
    return undefined;
  }
}

async function closing(
  { context, options }: FollowOptions,
  view: RunView,
  got: Report | undefined,
): Promise<string[]> {
  const { terminal, environment } = context;
  const { thrownAway } = environment;
  const place = { thrownAway, published: await publishedPlace(view, context, options) };
  if (got === undefined) return ['', ...closingLines(view, undefined, place)];
  const { report, files } = got;
  const { paint } = terminal;
  const findings = rejectedFindings(report, paint);
  const isOpen = report.sandbox === 'none';
  return [
    '',
    ...summaryLines(report, { paint, width: foldWidth(terminal) }),
    ...(findings.length === 0 ? [] : ['', ...findings]),
    ...(isOpen ? [paint.red('the sandbox was turned off: commands were not isolated')] : []),
    '',
    ...closingLines(view, files, place),
  ];
}

interface Display {
  close(how?: 'leave' | 'clear'): void;
}

function displayOf(options: FollowOptions, handle: RunHandle): Display {
  const { context, session, json } = options;
  const { terminal } = context;
  if (json) {
    handle.on('event', (event) => terminal.out(`${JSON.stringify(event)}\n`));
    return { close: () => undefined };
  }
  if (!terminal.isScreen) return plainDisplay(options, handle);
  const screen = new LiveScreen(terminal, handle);
  session.onConnection((lost) =>
    screen.note(lost === undefined ? undefined : `connection lost (${lost}); trying again`),
  );
  const refresh = peersRefresher(session, (peers) => screen.peers(peers));
  handle.on('event', (event) => {
    screen.event(event);
    if (event.worker !== undefined || event.kind === 'started') refresh();
  });
  refresh();
  return screen;
}

function plainDisplay({ context, session, run }: FollowOptions, handle: RunHandle): Display {
  const { terminal } = context;
  let startedAt: number | undefined;
  const print = (event: RunEvent): void => {
    startedAt ??= event.at;
    if (!isTold(event) || endsRun.has(event.kind)) return;
    const tasks = handle.view()?.tasks ?? [];
    const how = { startedAt, idWidth: idWidthOf(tasks), paint: terminal.paint, hasCounts: true };
    terminal.out(`${eventLine(event, how)}\n`);
    const task = tasks.find(({ id }) => id === event.taskId);
    const isAsked = event.kind === 'task-waiting' || event.kind === 'task-asks';
    if (isAsked && task !== undefined && waitsForAnswer(task))
      terminal.out(`        answer it: ${answerText(run, task)}\n`);
  };
  // Until the tasks are known, so is not how wide their names are.
  let early: RunEvent[] | undefined = [];
  handle.on('event', (event) => (early === undefined ? print(event) : early.push(event)));
  const flush = (): void => {
    early?.forEach(print);
    early = undefined;
  };
  handle.opened.then(flush, flush);
  session.onConnection((lost) =>
    terminal.err(lost === undefined ? 'connected\n' : `connection lost (${lost}); trying again\n`),
  );
  return { close: flush };
}

/** What the closing lines say. */
const endsRun: ReadonlySet<RunEvent['kind']> = new Set(['completed', 'failed', 'cancelled']);

/** Asks for the fleet when something happened, at most once at a time. */
function peersRefresher(session: Session, show: (peers: readonly PeerView[]) => void): () => void {
  let asking = false;
  return () => {
    if (asking) return;
    asking = true;
    session.client
      .fleet()
      .then(({ peers }) => show(peers))
      .catch((error: unknown) => {
        // The line of workers stays as it was until the next event.
        if (!isAppError(error)) throw error;
      })
      .finally(() => (asking = false));
  };
}
