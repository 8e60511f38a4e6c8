import { open } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { formatProblem, parsePlan } from '@switchyard/plan';
import { AppError, limits, messageOf, type Plan } from '@switchyard/protocol';
import type { CommandContext } from './context.ts';

/** Reads and checks a plan, or tasks to add to one, printing the problems; undefined: it has errors. */
export async function readPlan(
  file: string,
  context: CommandContext,
  addTo?: Plan,
): Promise<Plan | undefined> {
  const path = resolve(context.cwd, file);
  const text = await readText(path, file);
  const shown = relative(context.cwd, path);
  const { plan, problems } = parsePlan(text, {
    file: shown === '' || isAbsolute(file) ? file : shown,
    ...(addTo && { addTo }),
  });
  for (const problem of problems) context.terminal.err(`${formatProblem(problem)}\n`);
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  if (plan === undefined) context.terminal.err(`${errors} ${errors === 1 ? 'error' : 'errors'} in ${file}\n`);
  return plan;
}

/** At most one byte more than a plan may have, whatever the file is (a pipe or /dev/zero never ends). */
async function readText(path: string, shown: string): Promise<string> {
  const bytes = new Uint8Array(limits.planFileBytes + 1);
  let length = 0;
  try {
    const file = await open(path, 'r');
    try {
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new AppError('E_USAGE', `the plan ${shown} cannot be read: ${readFailure(cause)}`, { cause });
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, length));
}

function readFailure(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOENT' ? 'there is no such file' : messageOf(cause);
}
