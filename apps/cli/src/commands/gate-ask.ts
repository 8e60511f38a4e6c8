import { watch } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { SwitchyardClient } from '@switchyard/client';
import { AppError, isAppError, messageOf, runId, taskId, unknownTask } from '@switchyard/protocol';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { afterRejection } from '../gate-meant.ts';
import { questionText, readReply, type GateQuestion, type GateReply } from '../gate-reply.ts';
import { Interrupt } from '../interrupt.ts';
import { meantRun, stoppedHint, withSession, type Session } from '../session.ts';

/** `gate ask RUN TASK FILE`: a gate is answered by a file that a person edits. */
export function addGateAsk(gate: Command, context: CommandContext): void {
  gate
    .command('ask <run> <task> <file>')
    .description('write the question of a gate into a file, or answer the gate by what stands in it')
    .option('--wait', 'wait until the file is saved with an answer')
    .action(async (...given: [string, string, string, { wait?: boolean }, Command]) => {
      const [name, task, file, flags, command] = given;
      const options = commonOptions(command);
      const text = await ask({ name, task, file, flags, options, context });
      context.terminal.out(`${text}\n`);
    });
}

interface Asked {
  readonly name: string;
  readonly task: string;
  readonly file: string;
  readonly flags: { readonly wait?: boolean };
  readonly options: CommonOptions;
  readonly context: CommandContext;
}

/** While a person thinks nothing is held: where no orchestrator runs, none that does not work keeps out one that does. */
async function ask(asked: Asked): Promise<string> {
  const { task, file, flags, options, context } = asked;
  const open = { context, options, mode: { kind: 'look' } } as const;
  const path = resolve(context.cwd, file);
  const reader = (question: GateQuestion) => async (): Promise<GateReply> =>
    readReply(await readText(path, file), file, question);
  const first = await withSession(open, async (session) => {
    const question = await put(session, path, asked);
    if (flags.wait === true) return question;
    return answer(session, question, { read: await reader(question)(), file });
  });
  if (typeof first === 'string') return first;
  const read = await answered(path, reader(first), context);
  if (read.kind === 'open') return notAnswered(task, file);
  return withSession(open, async (session) => {
    // It may have been answered meanwhile, and ask anew: that is another question than the file's.
    const now = await questionOf(session.client, first.run, task);
    return answer(session, now, { read: await reader(now)(), file });
  });
}

/** The question, which a file that is not there yet is made of. */
async function put(
  session: Session,
  path: string,
  { name, task, file, context }: Asked,
): Promise<GateQuestion> {
  const run = await meantRun(session.client, name);
  const question = await questionOf(session.client, run, task);
  if (await writeNew(path, file, questionText(question))) context.terminal.err(`answer it in ${file}\n`);
  return question;
}

const notAnswered = (task: string, file: string): string =>
  `${task} is not answered yet; tick a box in ${file}, save, and ask again`;

async function answer(
  session: Session,
  { run, task, waiting }: GateQuestion,
  { read, file }: { read: GateReply; file: string },
): Promise<string> {
  if (read.kind === 'open') return notAnswered(task, file);
  const { approve, note, inputs } = read;
  await session.client.answerGate({
    run: runId.parse(run),
    taskId: taskId.parse(task),
    approve,
    note,
    inputs,
    asked: waiting.since,
  });
  const what = `${approve ? 'approved' : 'rejected'} ${task} by ${file}`;
  const follows = approve ? '' : await afterRejection(session.client, { run, task });
  return `${what}${follows}${stoppedHint(session, run)}`;
}

async function questionOf(client: SwitchyardClient, run: string, task: string): Promise<GateQuestion> {
  const { tasks } = await client.run(run);
  const view = tasks.find(({ id }) => id === task);
  if (view === undefined)
    throw unknownTask(
      run,
      task,
      tasks.map(({ id }) => id),
    );
  if (view.waiting?.kind !== 'gate')
    throw new AppError('E_RUN_STATE', `task ${task} waits for no gate: it is ${view.phase}`);
  return { run, task, waiting: view.waiting };
}

/** Whether there was no file yet. */
async function writeNew(path: string, shown: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw new AppError('E_USAGE', `${shown} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

async function readText(path: string, shown: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw new AppError('E_USAGE', `${shown} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Reads the file whenever it is saved; a faulty answer is told and waited over. */
async function answered(
  path: string,
  read: () => Promise<GateReply>,
  { terminal }: CommandContext,
): Promise<GateReply> {
  const interrupt = new Interrupt(() => undefined);
  let wake: () => void = () => undefined;
  let isSaved = true;
  // Editors put another file in its place: the folder is watched, not the file.
  const watcher = watch(dirname(path), (_event, name) => {
    if (name !== null && name !== basename(path)) return;
    isSaved = true;
    wake();
  });
  try {
    for (let told = ''; ;) {
      const saved = new Promise<'saved'>((tell) => (wake = () => tell('saved')));
      if (!isSaved && (await Promise.race([saved, interrupt.happened])) === 'interrupted')
        return { kind: 'open' };
      isSaved = false;
      try {
        const reply = await read();
        if (reply.kind === 'answered') return reply;
      } catch (error) {
        if (!isAppError(error)) throw error;
        if (error.message !== told) terminal.err(`${error.message}\n`);
        told = error.message;
      }
    }
  } finally {
    watcher.close();
    interrupt.close();
  }
}
