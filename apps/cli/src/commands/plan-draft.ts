import { limits } from '@switchyard/protocol';
import { InvalidArgumentError, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import type { DraftFlags } from '../draft.ts';

/** `plan draft GOAL`: a plan for a goal, made by an agent that may only read, or from the project graph alone. */
export function addPlanDraft(plan: Command, context: CommandContext): void {
  plan
    .command('draft <goal>')
    .description(
      'draft a plan for a goal: by an agent that may only read, or with --static without any model',
    )
    .option('--static', 'from the Nx projects, workspaces or folders of the repository; no agent, no daemon')
    .option('--agent <name>', 'the agent that drafts, and works on the tasks (default: claude-code)')
    .option(
      '--model <name>',
      'a model: without --agent it works by itself, else it is the one that the agent uses',
    )
    .option(
      '--agent-command <line>',
      'a command line in its place; it finds its task in $SWITCHYARD_INSTRUCTIONS',
    )
    .option('--rounds <n>', 'how often the agent may hand a plan in', roundsOf, 3)
    .option('-o, --output <file>', 'write the plan there; it must not be there yet')
    .option('--yes', 'approve the plan without looking')
    .option('--run', 'run the plan once it is approved')
    .action(async (goal: string, _options, command: Command) => {
      // Loaded when it is needed, so that the other commands start at once.
      const { draft } = await import('../draft.ts');
      await draft(goal, { ...command.opts<DraftFlags>(), ...commonOptions(command) }, context);
    });
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > limits.draftRoundsMax)
    throw new InvalidArgumentError(`a number from 1 to ${limits.draftRoundsMax}`);
  return rounds;
}
