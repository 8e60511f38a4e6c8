import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { AppError, messageOf, type Plan } from '@switchyard/protocol';
import { checkLines } from './check-lines.ts';
import { runPlan } from './commands/run.ts';
import type { CommandContext, CommonOptions } from './context.ts';

/** What is to become of a draft. */
export interface HandOver {
  readonly output?: string;
  readonly yes?: boolean;
  readonly run?: boolean;
}

/** A draft that passed the checks. */
export interface Draft {
  readonly text: string;
  readonly plan: Plan;
}

/** Shows a draft; writes it, and runs it, only once it is approved: by a person at a screen, or by a flag. */
export async function handOver(
  { text, plan }: Draft,
  flags: HandOver & CommonOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  terminal.out(
    `${text}${checkLines(plan)
      .map((line) => `# ${line}\n`)
      .join('')}`,
  );
  const file = flags.output ?? `${plan.name}.yaml`;
  if (!(await isApproved(file, flags, context))) {
    terminal.err('nothing is written; --output FILE or --yes approves the plan\n');
    return;
  }
  await writeNew(resolve(context.cwd, file), file, text);
  terminal.err(`wrote ${file}\n`);
  if (flags.run === true) return runPlan(file, { ...flags, sandbox: true, tick: true }, context);
  terminal.err(`to run it: switchyard run ${file}\n`);
}

/** `--output` approves that the file is written, and only `--yes`, or a person, that it is run. */
function isApproved(file: string, flags: HandOver, { terminal }: CommandContext): boolean | Promise<boolean> {
  if (flags.yes === true || (flags.output !== undefined && flags.run !== true)) return true;
  if (!terminal.isScreen || !process.stdin.isTTY) return false;
  return confirmed(flags.run === true ? `Write it to ${file} and run it?` : `Write it to ${file}?`, {
    input: process.stdin,
    output: process.stderr,
  });
}

/** Asks a person; only a clear yes is one. */
export async function confirmed(
  question: string,
  streams: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
): Promise<boolean> {
  const lines = createInterface(streams);
  try {
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    const answer = await Promise.race([lines.question(`${question} [y/N] `), ended]);
    return /^(y|yes)$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

async function writeNew(path: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const why = isThere ? 'there is a file already' : messageOf(cause);
    throw new AppError('E_USAGE', `${shown} cannot be written: ${why}`, { cause });
  }
}
