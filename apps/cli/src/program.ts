import { programVersion } from '@switchyard/runtime';
import { Command } from 'commander';
import { addApply } from './commands/apply.ts';
import { addBudget } from './commands/budget.ts';
import { addClean } from './commands/clean.ts';
import { addDaemons } from './commands/daemons.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addGate } from './commands/gate.ts';
import { addHelp } from './commands/help.ts';
import { addInvite } from './commands/invite.ts';
import { addLogs } from './commands/logs.ts';
import { addModes } from './commands/modes.ts';
import { addProgress } from './commands/progress.ts';
import { addProjections } from './commands/projections.ts';
import { addPlan } from './commands/plan.ts';
import { addReplay } from './commands/replay.ts';
import { addReport } from './commands/report.ts';
import { addReview } from './commands/review.ts';
import { addRollback } from './commands/rollback.ts';
import { addRun } from './commands/run.ts';
import { addRuns } from './commands/runs.ts';
import { addSalvage } from './commands/salvage.ts';
import { addSession } from './commands/session.ts';
import { addUp } from './commands/up.ts';
import { addUsage } from './commands/usage.ts';
import { addWorkers } from './commands/workers.ts';
import type { CommandContext } from './context.ts';
import { tellOwnUsage } from './usage-error.ts';

/** The commands in the order of their help. */
const groups: Readonly<Record<string, readonly ((program: Command, context: CommandContext) => void)[]>> = {
  'Plans and runs:': [
    addPlan,
    addRun,
    addRuns,
    addReplay,
    addProjections,
    addReport,
    addUsage,
    addProgress,
    addApply,
    addRollback,
    addSalvage,
  ],
  'What a run asks of you:': [addGate, addBudget],
  'Reviews:': [addReview, addSession],
  'Daemons:': [addUp, addDown, addWorkers, addLogs, addInvite, addDaemons],
  'This machine:': [addDoctor, addModes, addClean, addHelp],
};

/** The whole command line, one file for each command. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('switchyard')
    .description(
      'Runs coding agents and commands in parallel over one git repository; nothing lands unreviewed.',
    )
    .version(programVersion)
    .option('--repository <folder>', 'a folder inside the git repository (default: the current one)')
    .option('--state <folder>', 'state folder of the repository (default: in your own state folder)')
    .option('--hub <url>', 'talk to this orchestrator (environment: SWITCHYARD_HUB)')
    .option('--token-file <file>', 'file that holds the token (environment: SWITCHYARD_TOKEN)')
    .option('--fingerprint <sha256>', 'the only certificate to accept (environment: SWITCHYARD_FINGERPRINT)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.out(text),
      // Errors are thrown (exitOverride) and printed once, in main; help that comes with an error is shown.
      writeErr: (text) => context.terminal.err(text),
      outputError: () => undefined,
    })
    .helpCommand(false)
    .showSuggestionAfterError();
  for (const [group, adds] of Object.entries(groups)) {
    program.commandsGroup(group);
    for (const add of adds) add(program, context);
  }
  tellOwnUsage(program);
  return program;
}
