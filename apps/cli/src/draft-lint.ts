import { formatProblem, parsePlan } from '@switchyard/plan';
import type { Plan } from '@switchyard/protocol';
import type { CommandContext } from './context.ts';
import { namesIn } from './plan-file.ts';

/** The name of a draft in its problems. */
export const draftName = 'draft.yaml';

/** Checks a draft, printing the problems; undefined: it has errors. */
export async function lintDraft(text: string, context: CommandContext): Promise<Plan | undefined> {
  const { plan, problems } = parsePlan(text, { ...(await namesIn(context)), file: draftName });
  for (const problem of problems) context.terminal.err(`${formatProblem(problem)}\n`);
  return plan;
}
