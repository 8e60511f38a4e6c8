import { formatProblem, parsePlan, type ParseResult } from '@switchyard/plan';
import {
  AppError,
  exitCodes,
  isAppError,
  limits,
  type ErrorCode,
  type HandedInPlan,
  type RunView,
} from '@switchyard/protocol';
import type { KnownNames } from '@switchyard/agents';
import { namesIn } from './plan-file.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { draftName } from './draft-lint.ts';
import { draftInstructions } from './draft-prompt.ts';
import { runDraft, tellInterrupted, type DraftPlace } from './draft-run.ts';
import { Interrupt } from './interrupt.ts';
import { withSession, type Session } from './session.ts';
import { oneLine } from './show-text.ts';

export interface AgentDraft {
  readonly goal: string;
  readonly executor: Readonly<Record<string, unknown>>;
  /** What the project graph alone gives: where the agent may start. */
  readonly fromGraph: string;
  readonly rounds: number;
  readonly options: CommonOptions;
  readonly context: CommandContext;
}

/** What came of one run of the agent: a text that may be a plan, and what is wrong with it. */
interface Round {
  readonly text: string;
  readonly problems: readonly string[];
  /** How often it handed one in; at least one of the rounds that it has is used up. */
  readonly used: number;
}

/**
 * Has an agent draft a plan: a run of one task in the mode of an orchestrator, which reads the repository, changes nothing,
 * and hands in a plan. What the checks find goes back to it, at once where it has the tool for that, a few times at most.
 * Undefined: there is none, and the command ends with what was said of it. Throws AppError E_PLAN_DRAFT and what a run may
 * throw.
 */
export async function draftByAgent(draft: AgentDraft): Promise<string | undefined> {
  const { context, options } = draft;
  if ((options.hub ?? context.environment.hub) !== undefined)
    throw new AppError('E_USAGE', 'a plan is drafted by an orchestrator of this machine; leave --hub out');
  // An agent that nobody knows is told before anything is started for it.
  const first = planOfDraft(draft, { left: draft.rounds, before: undefined }, await namesIn(context));
  if (first.plan === undefined) {
    for (const { code, message, fix } of first.problems)
      context.terminal.err(`error ${code}: ${message}\n  fix: ${fix}\n`);
    context.end(exitCodes.planInvalid.code);
    return undefined;
  }
  let session: Session | undefined;
  const interrupt = new Interrupt(() => session?.own?.kill());
  try {
    return await withSession({ context, options, mode: { kind: 'work', flags: [] } }, (opened) => {
      session = opened;
      return draftInRounds(draft, { session, context, interrupt });
    });
  } catch (error) {
    throw withoutAgent(error);
  } finally {
    interrupt.close();
  }
}

async function draftInRounds(draft: AgentDraft, place: DraftPlace): Promise<string | undefined> {
  const { rounds } = draft;
  const { terminal } = draft.context;
  let last: Round | undefined;
  for (let left = rounds; left > 0; left -= last.used) {
    if (place.interrupt.signal === undefined)
      terminal.err(`round ${rounds - left + 1} of ${rounds}: the agent drafts a plan\n`);
    last = await draftOnce(draft, place, { left, before: last });
    if (last === undefined) {
      tellInterrupted(draft.context);
      return undefined;
    }
    if (last.problems.length === 0) return last.text;
    terminal.err(`${last.problems.map((problem) => `  ${oneLine(problem)}\n`).join('')}`);
  }
  const times = rounds === 1 ? 'the round' : `${rounds} rounds`;
  throw new AppError('E_PLAN_DRAFT', `after ${times} the plan still has problems; the last are above`);
}

/** Where no agent can work, there is still a way. */
function withoutAgent(error: unknown): unknown {
  if (!isAppError(error)) return error;
  const way = waysLeft.get(error.code);
  return way === undefined ? error : new AppError(error.code, `${error.message}\n${way}`, { cause: error });
}

const waysLeft: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'E_SANDBOX_UNAVAILABLE',
    'So no agent drafts a plan here; with --static it is made from the project graph, without one.',
  ],
  ['E_AGENT_MISSING', 'With --static the plan is made from the project graph, without an agent.'],
]);

interface RoundsLeft {
  readonly left: number;
  readonly before: Round | undefined;
}

/** Undefined: ctrl-C came. */
async function draftOnce(
  draft: AgentDraft,
  place: DraftPlace,
  rounds: RoundsLeft,
): Promise<Round | undefined> {
  const names = await namesIn(draft.context);
  const { plan } = planOfDraft(draft, rounds, names);
  if (plan === undefined) throw new AppError('E_INTERNAL', 'the plan of the draft itself has problems');
  const ended = await runDraft(plan, place);
  if (ended === 'interrupted') return undefined;
  requireWell(ended);
  const { report } = await place.session.client.report(ended.run);
  const [task] = report.tasks;
  return roundOf(task?.attempts.at(-1)?.handover?.plan, names);
}

/** The run that drafts: one task, which is given nothing to write; or what is wrong with it. */
function planOfDraft(
  draft: AgentDraft,
  { left, before }: RoundsLeft,
  names: KnownNames,
): Pick<ParseResult, 'plan' | 'problems'> {
  const { executor } = draft;
  const task = {
    id: 'draft',
    kind: 'verify',
    instructions: draftInstructions({ ...draft, before }),
    retries: 0,
    followUps: 'ignore',
    executor: executor['kind'] === 'command' ? executor : { ...executor, mode: 'orchestrator' },
  };
  const text = JSON.stringify({ name: 'draft', tasks: [task] });
  const { plan, problems } = parsePlan(text, { ...names, file: draftName });
  if (plan === undefined) return { problems };
  const tasks = plan.tasks.map((each) => ({ ...each, draft: { rounds: left } }));
  return { plan: { ...plan, tasks }, problems };
}

/** Throws AppError E_PLAN_DRAFT. */
function requireWell(view: RunView): void {
  if (view.phase === 'completed') return;
  const [task] = view.tasks;
  const why = task?.reason ?? view.reason ?? view.phase;
  throw new AppError(
    'E_PLAN_DRAFT',
    `the agent did not end well: ${oneLine(why)}; see \`switchyard report ${view.run}\``,
  );
}

function roundOf(handedIn: HandedInPlan | undefined, names: KnownNames): Round {
  if (handedIn === undefined)
    return {
      text: '',
      problems: ['no plan was handed in: call hand_in_plan, or end with the plan in a block of ```yaml'],
      used: 1,
    };
  const { text, rounds: used } = handedIn;
  const { problems } = parsePlan(text, { ...names, file: draftName });
  const errors = problems.filter(({ severity }) => severity === 'error');
  return { text, problems: errors.slice(0, limits.planProblemsShown).map(formatProblem), used };
}
