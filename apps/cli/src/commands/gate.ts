import { escalationActions, runId, taskId, type EscalationAction } from '@switchyard/protocol';
import { Option, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { meantRun, stoppedHint, withSession } from '../session.ts';

/** `gate approve|reject RUN TASK` and `answer RUN TASK --action …`: what runs wait for from people. */
export function addGate(program: Command, context: CommandContext): void {
  const gate = program.command('gate').helpCommand(false).description('answer a gate that a run waits at');
  for (const verb of ['approve', 'reject'] as const) {
    gate
      .command(`${verb} <run> <task>`)
      .description(verb === 'approve' ? 'let the run go on' : 'fail the task')
      .option('--note <text>', 'a word on it, kept in the report', '')
      .action((name: string, task: string, { note }: { note: string }, command: Command) =>
        answerGate({ name, task, note, approve: verb === 'approve' }, command, context),
      );
  }
  program
    .command('answer <run> <task>')
    .description('answer the question of a task')
    .addOption(new Option('--action <action>', 'what to do').choices(escalationActions).makeOptionMandatory())
    .option('--note <text>', 'the answer, given to the next attempt and kept in the report', '')
    .action(
      (name: string, task: string, options: { action: EscalationAction; note: string }, command: Command) =>
        answerQuestion({ name, task, ...options }, command, context),
    );
}

interface GateAnswer {
  readonly name: string;
  readonly task: string;
  readonly note: string;
  readonly approve: boolean;
}

async function answerGate(
  { name, task, note, approve }: GateAnswer,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const open = { context, options: commonOptions(command), mode: { kind: 'look' } as const };
  const hint = await withSession(open, async (session) => {
    const run = runId.parse(await meantRun(session.client, name));
    await session.client.answerGate({ run, taskId: taskId.parse(task), approve, note });
    return stoppedHint(session, run);
  });
  context.terminal.out(`${approve ? 'approved' : 'rejected'} ${task}${hint}\n`);
}

interface QuestionAnswer {
  readonly name: string;
  readonly task: string;
  readonly note: string;
  readonly action: EscalationAction;
}

async function answerQuestion(
  { name, task, note, action }: QuestionAnswer,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const open = { context, options: commonOptions(command), mode: { kind: 'look' } as const };
  const hint = await withSession(open, async (session) => {
    const run = runId.parse(await meantRun(session.client, name));
    await session.client.answerEscalation({ run, taskId: taskId.parse(task), action, note });
    return stoppedHint(session, run);
  });
  context.terminal.out(`${task}: ${action}${hint}\n`);
}
