import {
  escalationActions,
  runId,
  taskId,
  type EscalationAction,
  type GateValues,
} from '@switchyard/protocol';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { addGateAsk } from './gate-ask.ts';
import { afterRejection, meantGate } from '../gate-meant.ts';
import { readAskingName } from '../asking-name.ts';
import { meantRun, stoppedHint, withSession } from '../session.ts';

/** `gate approve|reject RUN TASK`, or the name of a gate alone, and `answer RUN TASK --action …`: what runs wait for from people. */
export function addGate(program: Command, context: CommandContext): void {
  const gate = program.command('gate').helpCommand(false).description('answer a gate that a run waits at');
  for (const verb of ['approve', 'reject'] as const) {
    const answer = gate
      .command(`${verb} <run> [task]`)
      .description(
        `${verb === 'approve' ? 'let the run go on' : 'say no: the task fails, or the work before it begins again, as its plan says'}; where only one gate that waits has its name, that does`,
      )
      .option('--note <text>', 'a word on it, kept in the report', '')
      .addOption(askedOption());
    if (verb === 'approve') answer.addOption(inputOption());
    answer.action(
      (name: string, task: string | undefined, { note, asked, input = {} }: GateFlags, command: Command) =>
        answerGate({ name, task, note, asked, approve: verb === 'approve', inputs: input }, command, context),
    );
  }
  addGateAsk(gate, context);
  program
    .command('answer <run> <task>')
    .description('answer the question of a task')
    .addOption(
      new Option('--action <action>', 'what to do; retry hands the note to the agent')
        .choices(escalationActions)
        .default('retry'),
    )
    .option('--note <text>', 'the answer, given to the agent that asks or to the next attempt', '')
    .addOption(askedOption())
    .action(
      (
        name: string,
        task: string,
        options: Pick<QuestionAnswer, 'action' | 'note' | 'asked'>,
        command: Command,
      ) => answerQuestion({ name, task, ...options }, command, context),
    );
}

interface GateFlags {
  readonly note: string;
  readonly asked?: number;
  readonly input?: GateValues;
}

function askedOption(): Option {
  return new Option(
    '--asked <name>',
    'the asking that is meant, as the command to type names it: refused if the task has asked again since',
  ).argParser(readAskingName);
}

function inputOption(): Option {
  return new Option(
    '--input <name=value>',
    'a value the gate asks for; once for each, kept in the journal and the report',
  ).argParser((text: string, before: GateValues | undefined): GateValues => {
    const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined)
      throw new InvalidArgumentError(`${text} is no name=value.`);
    if (before !== undefined && Object.hasOwn(before, name))
      throw new InvalidArgumentError(`${name} is given twice.`);
    return { ...before, [name]: value };
  });
}

interface GateAnswer {
  readonly inputs: GateValues;
  readonly name: string;
  readonly task: string | undefined;
  readonly note: string;
  readonly approve: boolean;
  readonly asked: number | undefined;
}

async function answerGate(
  { name, task, inputs, ...answer }: GateAnswer,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const open = { context, options: commonOptions(command), mode: { kind: 'look' } as const };
  const answered = await withSession(open, async (session) => {
    const gate = await meantGate(session.client, [name, task]);
    const run = runId.parse(gate.run);
    await session.client.answerGate({ run, taskId: taskId.parse(gate.task), inputs, ...answer });
    const what = answer.approve ? `approved ${gate.task}` : `rejected ${gate.task}`;
    const follows = answer.approve ? '' : await afterRejection(session.client, gate);
    return `${what}${follows}${stoppedHint(session, run)}`;
  });
  context.terminal.out(`${answered}\n`);
}

interface QuestionAnswer {
  readonly name: string;
  readonly task: string;
  readonly note: string;
  readonly action: EscalationAction;
  readonly asked?: number;
}

async function answerQuestion(
  { name, task, ...answer }: QuestionAnswer,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const open = { context, options: commonOptions(command), mode: { kind: 'look' } as const };
  const hint = await withSession(open, async (session) => {
    const run = runId.parse(await meantRun(session.client, name));
    await session.client.answerEscalation({ run, taskId: taskId.parse(task), ...answer });
    return stoppedHint(session, run);
  });
  context.terminal.out(`${task}: ${answer.action}${hint}\n`);
}
