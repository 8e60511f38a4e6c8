import { resolve } from 'node:path';
import { draftPlan } from '@switchyard/plan';
import { AppError, exitCodes } from '@switchyard/protocol';
import { discoverRepository } from '@switchyard/repo';
import type { CommandContext, CommonOptions } from './context.ts';
import { draftByAgent } from './draft-by-agent.ts';
import { executorOf, type WhoWorks } from './draft-executor.ts';
import { handOver, type HandOver } from './draft-hand-over.ts';
import { lintDraft } from './draft-lint.ts';
import { readRepositoryFiles } from './repository-files.ts';

export interface DraftFlags extends CommonOptions, WhoWorks, HandOver {
  readonly static?: boolean;
  /** How often an agent may mend its plan. */
  readonly rounds: number;
}

/** Drafts a plan for a goal, checks it, shows it, and writes and runs what is approved. */
export async function draft(goal: string, flags: DraftFlags, context: CommandContext): Promise<void> {
  if (goal.trim() === '')
    throw new AppError('E_USAGE', 'what shall the plan reach? `switchyard plan draft "GOAL"`');
  const executor = await executorOf(flags, context.environment.all['SWITCHYARD_AGENTS']);
  const user = await discoverRepository(resolve(context.cwd, flags.repository ?? '.'));
  const fromGraph = draftPlan({ goal, files: await readRepositoryFiles(user), executor });
  const text =
    flags.static === true
      ? fromGraph
      : await draftByAgent({ goal, executor, fromGraph, rounds: flags.rounds, options: flags, context });
  if (text === undefined) return;
  const plan = await lintDraft(text, context);
  if (plan === undefined) return context.end(exitCodes.planInvalid.code);
  await handOver({ text, plan }, flags, context);
}
