import { realpathSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { parsePlan, type ParseResult } from '@switchyard/plan';
import { AppError, limits, messageOf, planProblem, type Plan } from '@switchyard/protocol';
import { z } from 'zod';
import type { Desk } from './desk.ts';

/** A plan in the arguments of a tool: its text, or a file of the repository. */
export const planArguments = {
  plan: z
    .string()
    .max(limits.planFileBytes)
    .optional()
    .describe('Text of the plan, YAML (or JSON) unless format says markdown. Give this or file.'),
  format: z.enum(['yaml', 'markdown']).default('yaml').describe('Of the text in plan.'),
  file: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe(
      'Path of a plan file inside the repository, .yaml, .json or .md; documents that a Markdown plan names are not read here.',
    ),
};

export interface PlanSource {
  readonly plan?: string | undefined;
  readonly format: 'yaml' | 'markdown';
  readonly file?: string | undefined;
}

/** A problem of a plan as tools answer it. */
export const problemShape = planProblem.pick({
  severity: true,
  code: true,
  line: true,
  column: true,
  message: true,
  fix: true,
});

/** Reads and lints a plan. Throws AppError E_USAGE for arguments that name none. */
export async function readPlan(
  desk: Desk,
  source: PlanSource,
): Promise<ParseResult & { readonly file: string }> {
  const { plan, file } = source;
  if ((plan === undefined) === (file === undefined))
    throw new AppError('E_USAGE', 'give the text of the plan in `plan`, or a path in `file`, and not both');
  if (plan !== undefined) {
    const name = source.format === 'markdown' ? 'plan.md' : 'plan.yaml';
    return { ...parsePlan(plan, { ...(await desk.names()), file: name }), file: name };
  }
  const path = file ?? '';
  const text = await readInside(desk, path);
  return { ...parsePlan(text, { ...(await desk.names()), file: path }), file: path };
}

/** The plan, or its problems as an error. Throws AppError E_PLAN_INVALID, E_USAGE. */
export async function soundPlan(desk: Desk, source: PlanSource): Promise<{ plan: Plan; file: string }> {
  const { plan, problems, file } = await readPlan(desk, source);
  if (plan !== undefined) return { plan, file };
  throw new AppError('E_PLAN_INVALID', problemText(problems), {
    details: { problems: problems.slice(0, limits.planProblemsShown) },
  });
}

/** The errors among problems, one a line, with their fixes. */
export function problemText(problems: ParseResult['problems']): string {
  return problems
    .filter(({ severity }) => severity === 'error')
    .slice(0, 20)
    .map(({ line, column, code, message, fix }) => `${line}:${column} ${code} ${message}; ${fix}`)
    .join('\n');
}

/** Only files of the repository are read for a client. */
async function readInside(desk: Desk, file: string): Promise<string> {
  const root = await desk.station.workTree();
  if (root === undefined)
    throw new AppError(
      'E_USAGE',
      'the orchestrator is on another machine; give the text of the plan in `plan`',
    );
  try {
    const path = realpathSync(resolve(root, file));
    const inside = relative(realpathSync(root), path);
    if (inside === '' || inside.startsWith('..') || isAbsolute(inside))
      throw new AppError('E_USAGE', `${file} is no file of the repository`);
    if (!statSync(path).isFile()) throw new AppError('E_USAGE', `${file} is no file, and a plan is one`);
    return await readCapped(path);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('E_USAGE', `the plan ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** At most one byte more than a plan may have, whatever the file is. */
async function readCapped(path: string): Promise<string> {
  const bytes = new Uint8Array(limits.planFileBytes + 1);
  const handle = await open(path, 'r');
  try {
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    await handle.close();
  }
}
