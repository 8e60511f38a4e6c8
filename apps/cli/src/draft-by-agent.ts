import type { SwitchyardClient } from '@switchyard/client';
import { formatProblem, parsePlan } from '@switchyard/plan';
import {
  AppError,
  isAppError,
  limits,
  type HandedInPlan,
  type Plan,
  type RunView,
} from '@switchyard/protocol';
import type { KnownNames } from '@switchyard/agents';
import { requireAgents } from './missing-agents.ts';
import { namesIn } from './plan-file.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { draftName } from './draft-lint.ts';
import { draftInstructions } from './draft-prompt.ts';
import { withSession } from './session.ts';
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
 * Throws AppError E_PLAN_DRAFT and what a run may throw.
 */
export async function draftByAgent(draft: AgentDraft): Promise<string> {
  const { context, options, rounds } = draft;
  if ((options.hub ?? context.environment.hub) !== undefined)
    throw new AppError('E_USAGE', 'a plan is drafted by an orchestrator of this machine; leave --hub out');
  const opened = withSession({ context, options, mode: { kind: 'work', flags: [] } }, async ({ client }) => {
    let last: Round | undefined;
    for (let left = rounds; left > 0; left -= last.used) {
      context.terminal.err(`round ${rounds - left + 1} of ${rounds}: the agent drafts a plan\n`);
      last = await draftOnce(client, draft, { left, before: last });
      if (last.problems.length === 0) return last.text;
      context.terminal.err(`${last.problems.map((problem) => `  ${oneLine(problem)}\n`).join('')}`);
    }
    const times = rounds === 1 ? 'the round' : `${rounds} rounds`;
    throw new AppError('E_PLAN_DRAFT', `after ${times} the plan still has problems; the last are above`);
  });
  return opened.catch((error: unknown) => {
    throw withoutAgent(error);
  });
}

/** Where nothing holds an agent, there is still a way. */
function withoutAgent(error: unknown): unknown {
  if (!isAppError(error) || error.code !== 'E_SANDBOX_UNAVAILABLE') return error;
  const way = 'So no agent drafts a plan here; with --static it is made from the project graph, without one.';
  return new AppError(error.code, `${error.message}\n${way}`, { cause: error });
}

interface RoundsLeft {
  readonly left: number;
  readonly before: Round | undefined;
}

async function draftOnce(
  client: SwitchyardClient,
  draft: AgentDraft,
  { left, before }: RoundsLeft,
): Promise<Round> {
  const plan = planOfDraft(draft, { left, before });
  await requireAgents(plan, draft.context);
  const run = await client.submit(plan, 'plan draft');
  const handle = client.watch(run);
  handle.on('event', ({ kind, text }) => {
    if (kind === 'task-waiting' || kind === 'task-asks')
      draft.context.terminal.err(`  the agent asks: ${oneLine(text)} (run ${run})\n`);
    if (kind === 'task-assign-failed') draft.context.terminal.err(`  ${oneLine(text)}\n`);
  });
  requireWell(await handle.finished);
  const { report } = await client.report(run);
  const [task] = report.tasks;
  return roundOf(task?.attempts.at(-1)?.handover?.plan, await namesIn(draft.context));
}

/** The run that drafts: one task, which is given nothing to write. */
function planOfDraft(draft: AgentDraft, { left, before }: RoundsLeft): Plan {
  const { executor } = draft;
  const task = {
    id: 'draft',
    kind: 'verify',
    instructions: draftInstructions({ ...draft, before }),
    retries: 0,
    followUps: 'ignore',
    executor: executor['kind'] === 'command' ? executor : { ...executor, mode: 'orchestrator' },
  };
  const { plan } = parsePlan(JSON.stringify({ name: 'draft', tasks: [task] }), { file: draftName });
  if (plan === undefined) throw new AppError('E_INTERNAL', 'the plan of the draft itself has problems');
  return { ...plan, tasks: plan.tasks.map((each) => ({ ...each, draft: { rounds: left } })) };
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
