import { resolve } from 'node:path';
import {
  AppError,
  errorTable,
  exitCodes,
  isAppError,
  specialization,
  specializations,
  type ErrorCode,
  type Specialization,
} from '@switchyard/protocol';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { oneLine } from '../show-text.ts';
import type { SessionEnd, TakeUp } from '../review-session/session-run.ts';
import type { SessionExports } from '../review-session/session-exports.ts';
import type { SessionProject } from '../review-session/session-project.ts';
import { addSessionList, addSessionReport } from './session-report.ts';
import { addSessionStatus } from './session-status.ts';

interface StartFlags {
  readonly restart?: boolean;
  readonly since?: string;
  readonly reviewers?: readonly Specialization[];
  readonly template?: string;
  readonly acceptFailures: number;
  readonly sandbox: boolean;
  readonly html?: string;
  readonly sarif?: string;
  readonly model?: string;
  readonly models?: string;
  readonly budget: number;
}

type ContinueFlags = Pick<
  StartFlags,
  'template' | 'sandbox' | 'model' | 'models' | 'budget' | keyof SessionExports
>;

const helpText = `
A session reviews what was done for task N of a specification:

  docs/specs/                      the specification; requirements as "### Requirement 1" with acceptance criteria
  docs/specs/task.md               the tasks, as "- [ ] 3. Title" with "Requirements: 1.1, 1.2" beneath
  docs/implementation-plan/N-plan.md   the plan; what it names between backquotes is what is reviewed

and writes docs/review-results/N-review.md and docs/review-session/N-session-state.yaml. Task and sub-tasks are
ticked when it passes. The report is made from ${'sunnycore/qa/templates/review-tmpl.yaml'} where that is there,
or from --template (environment: SWITCHYARD_REVIEW_TEMPLATE).
`;

/** `session start|continue|status|report|abort N`, and `session template`: a whole review of one task of a specification. */
export function addSession(program: Command, context: CommandContext): void {
  const session = program
    .command('session')
    .helpCommand(false)
    .description('review what was done for a task of a specification, as a whole')
    .addHelpText('after', helpText);
  withSharedOptions(
    session
      .command('start <task>')
      .description('begin a session, or go on with one that was cut off')
      .option('--restart', 'begin anew, whatever is there; it is kept in the archive')
      .option(
        '--since <revision>',
        'review what has changed since then, not the files that plan and task name',
      )
      .addOption(
        new Option(
          '--reviewers <names>',
          `any of ${specializations.join(', ')} (default: by the task)`,
        ).argParser(namesOf),
      )
      .option('--template <file>', 'template of the report')
      .addOption(
        new Option('--accept-failures <share>', 'share of reviewers that may come to no result, 0 to 1')
          .default(0.25)
          .argParser(shareOf),
      ),
  ).action((task: string, flags: StartFlags, command: Command) => start(task, flags, { command, context }));
  withSharedOptions(
    session
      .command('continue <task>')
      .description('go on with a session that was cut off, or that waited for you')
      .option('--template <file>', 'another template of the report than it began with'),
  ).action((task: string, flags: ContinueFlags, command: Command) => {
    const template = flags.template === undefined ? undefined : resolve(context.cwd, flags.template);
    const takeUp = { kind: 'continue', template, model: flags.model } as const;
    return run(task, { ...flags, takeUp }, { command, context });
  });
  addSessionReport(session, context);
  addSessionList(session, context);
  session
    .command('template')
    .description('print the template of the report that is ours, to make one of your own')
    .action(async () => {
      const { defaultSessionTemplate } = await import('@switchyard/report');
      context.terminal.out(defaultSessionTemplate);
    });
  addSessionStatus(session, context);
  session
    .command('abort <task>')
    .description('end a session, under way or cut off; what it has so far is kept in the archive')
    .action((task: string, _flags: object, command: Command) => abort(task, { command, context }));
}

function withSharedOptions(command: Command): Command {
  return command
    .option(
      '--model <name>',
      'a model that reviews beside the static engines (environment: SWITCHYARD_REVIEW_MODEL)',
    )
    .option(
      '--models <file>',
      'JSON file with the providers of models, their keys and prices (environment: SWITCHYARD_MODELS)',
    )
    .addOption(
      new Option('--budget <usd>', 'dollars that the model may cost at most').default(5).argParser(moneyOf),
    )
    .option('--html <file>', 'also write the report as a page')
    .option('--sarif <file>', 'also write the findings as SARIF 2.1.0')
    .option('--no-sandbox', 'let the engines run without isolation');
}

interface Place {
  readonly command: Command;
  readonly context: CommandContext;
}

function namesOf(text: string): readonly Specialization[] {
  const named = text.split(',').map((name) => {
    const parsed = specialization.safeParse(name.trim().replace(/^(task-reviewer_|reviewer-)/, ''));
    if (!parsed.success) throw new InvalidArgumentError(`${name} is none of ${specializations.join(', ')}.`);
    return parsed.data;
  });
  return [...new Set(named)];
}

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError(`${text} is no share from 0 to 1.`);
  return share;
}

function moneyOf(text: string): number {
  const money = Number(text);
  if (text.trim() === '' || !(money > 0 && money <= 1_000_000))
    throw new InvalidArgumentError(`${text} is no amount of dollars.`);
  return money;
}

async function projectOf(task: string, { command, context }: Place): Promise<SessionProject> {
  const { findSessionProject } = await import('../review-session/session-project.ts');
  const { repository = '.' } = commonOptions(command);
  return findSessionProject(resolve(context.cwd, repository), task);
}

function start(task: string, flags: StartFlags, place: Place): Promise<void> {
  const { context } = place;
  const template = flags.template ?? fromEnvironmentOf(context, 'SWITCHYARD_REVIEW_TEMPLATE');
  const request = {
    since: flags.since,
    reviewers: flags.reviewers,
    template: template === undefined ? undefined : resolve(context.cwd, template),
    model: flags.model ?? fromEnvironmentOf(context, 'SWITCHYARD_REVIEW_MODEL'),
    acceptedFailureShare: flags.acceptFailures,
  };
  const takeUp: TakeUp = { kind: 'start', restart: flags.restart === true, request };
  return run(task, { ...flags, takeUp }, place);
}

function fromEnvironmentOf({ environment }: CommandContext, name: string): string | undefined {
  const value = environment.all[name];
  return value === '' ? undefined : value;
}

/** Errors of the disk under a session. */
const keptErrors: ReadonlySet<ErrorCode> = new Set(['E_DISK_FULL', 'E_ACCESS', 'E_IO']);

interface RunOptions extends SessionExports, Pick<StartFlags, 'sandbox' | 'models' | 'budget'> {
  readonly takeUp: TakeUp;
}

async function run(task: string, options: RunOptions, place: Place): Promise<void> {
  const { takeUp, sandbox } = options;
  const { context } = place;
  const { terminal, environment } = context;
  const project = await projectOf(task, place);
  // Loaded when it is needed: parsers, rules and git.
  const { runSession } = await import('../review-session/session-run.ts');
  const { SessionModel } = await import('../review-session/session-model.ts');
  const modelsFile = options.models ?? fromEnvironmentOf(context, 'SWITCHYARD_MODELS');
  const { SessionScreen } = await import('../review-session/session-screen.ts');
  const controller = new AbortController();
  const interrupt = new Interrupt(() => undefined);
  void interrupt.happened.then(() =>
    controller.abort(new AppError('E_CANCELLED', 'the session was interrupted')),
  );
  const { openSessionLog } = await import('../review-session/session-log.ts');
  const screen = new SessionScreen(terminal);
  const log = await openSessionLog(task, context, commonOptions(place.command));
  try {
    const end = await runSession(takeUp, {
      project,
      engines: { sandbox: sandbox ? 'auto' : 'off', searchPath: environment.all['PATH'] },
      openModel: (name) =>
        new SessionModel({
          name,
          file: modelsFile === undefined ? undefined : resolve(context.cwd, modelsFile),
          budgetUsd: options.budget,
          env: environment.all,
        }),
      signal: controller.signal,
      say: (text) => screen.say(text),
      told: (fact, state) => {
        log.told(fact, state);
        screen.told(fact, state);
      },
    });
    screen.close();
    await tell(end, { project, exports: options }, context);
  } catch (error) {
    screen.close();
    if (!controller.signal.aborted) {
      // The state before is whole: what could not be kept has not been gone on with.
      if (isAppError(error) && keptErrors.has(error.code))
        terminal.err(
          `what the session had is kept; \`switchyard session continue ${task}\` goes on where it was\n`,
        );
      throw error;
    }
    terminal.err(`${stoppedText(task, interrupt.signal)}\n`);
    context.end(exitCodes.interrupted.code);
  } finally {
    interrupt.close();
    await log.close();
  }
}

/** Another process that stops this one may be aborting the session, which nobody goes on with then. */
function stoppedText(task: string, signal: NodeJS.Signals | undefined): string {
  const goesOn = `\`switchyard session continue ${task}\` goes on where it was`;
  return signal === 'SIGTERM'
    ? `stopped by another process; unless that has aborted the session, ${goesOn}`
    : `stopped; ${goesOn}`;
}

async function tell(
  { kind, state }: SessionEnd,
  { project, exports }: { readonly project: SessionProject; readonly exports: SessionExports },
  context: CommandContext,
): Promise<void> {
  const { task_id, overall_status, ended_because } = state.review_session;
  if (kind === 'person') {
    const { last_error } = state.error_tracking;
    const [, code = '', text = ''] = /^(E_[A-Z_]+): ([^]*)$/.exec(last_error?.message ?? '') ?? [];
    const known = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'E_SESSION_WAITS';
    throw new AppError(
      known,
      `${shown(text === '' ? (last_error?.message ?? 'it waits') : text)}\n  ${last_error?.instructions ?? ''}\n  The session waits for you; then \`switchyard session continue ${task_id}\` goes on.`,
    );
  }
  if (overall_status === 'failed') {
    const code = failureCode(state);
    const next =
      code === 'E_SESSION_SPEC'
        ? `\n  Mend what is listed; then \`switchyard session start ${task_id}\` begins anew.`
        : '';
    throw new AppError(code, `${shown(ended_because ?? 'it failed')}${next}`);
  }
  const { sessionEndLines } = await import('../review-session/session-text.ts');
  context.terminal.out(`${sessionEndLines(state, project.report, context.terminal.paint).join('\n')}\n`);
  if (exports.html !== undefined || exports.sarif !== undefined) {
    const { SessionStore } = await import('../review-session/session-store.ts');
    const { exportSession } = await import('../review-session/session-exports.ts');
    await exportSession(new SessionStore(project).readReport(state), exports, context);
  }
  context.end(await exitCodeOf(state.review_session.conclusion, project));
}

function failureCode({
  session_metadata: metadata,
  error_tracking: tracking,
}: SessionEnd['state']): ErrorCode {
  if (tracking.last_error?.error_class === 'architecture_conflict') return 'E_SESSION_CONFLICT';
  const isOfPlan = metadata.completed_steps.includes('validate_plan') && !metadata.plan_validated;
  return isOfPlan ? 'E_SESSION_SPEC' : 'E_SESSION_FAILED';
}

/** Texts of others, line by line. */
function shown(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}

/** Passed: 0. Changes required: the code of the worst finding. Incomplete: that of a failed run. */
async function exitCodeOf(conclusion: string | null, project: SessionProject): Promise<number> {
  if (conclusion === 'passed') return exitCodes.ok.code;
  if (conclusion !== 'changes_required') return exitCodes.runFailed.code;
  const { readFileSync } = await import('node:fs');
  const { readEarlierFindings } = await import('@switchyard/review');
  const { insideProject } = await import('../review-session/session-project.ts');
  const found = readEarlierFindings(readFileSync(insideProject(project, project.report), 'utf8'));
  const isCritical = found.some(({ severity }) => severity === 'critical');
  return isCritical ? exitCodes.criticalFound.code : exitCodes.majorFound.code;
}

async function abort(task: string, place: Place): Promise<void> {
  const { terminal } = place.context;
  const project = await projectOf(task, place);
  const { abortSession } = await import('../review-session/session-abort.ts');
  const archive = await abortSession(project);
  terminal.out(`aborted; what it had is kept in ${archive}\n`);
}
