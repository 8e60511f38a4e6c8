import { open, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import {
  documentsNamed,
  formatProblem,
  importPlan,
  isMarkdown,
  parsePlan,
  type ExpandedPipeline,
  type ParseOptions,
  type ParseResult,
} from '@switchyard/plan';
import type { KnownNames } from '@switchyard/agents';
import { AppError, limits, messageOf, type Plan } from '@switchyard/protocol';
import type { CommandContext } from './context.ts';
import { readDocuments } from './plan-documents.ts';
import { oneLine } from './show-text.ts';

/** What a plan is read for. */
export interface PlanUse {
  /** The running plan that the tasks of the file are added to. */
  readonly addTo?: Plan;
  /** It is only looked at: an open activation checklist is a warning. */
  readonly isDraft?: boolean;
  /** Told what the templates of the file have become. */
  readonly onPipelines?: (pipelines: readonly ExpandedPipeline[]) => void;
}

/** Reads and checks a plan, or tasks to add to one, printing the problems; undefined: it has errors. */
export async function readPlan(
  file: string,
  context: CommandContext,
  use: PlanUse = {},
): Promise<Plan | undefined> {
  const { text, options } = await readForParsing(file, context, use);
  const parsed = parsePlan(text, options);
  tell(file, context, parsed);
  use.onPipelines?.(parsed.pipelines ?? []);
  return parsed.plan;
}

/** Reads a Markdown plan as YAML text, printing the problems; undefined: it has errors. */
export async function readAsYaml(file: string, context: CommandContext): Promise<string | undefined> {
  if (!isMarkdown(file))
    throw new AppError('E_USAGE', `${file} is no Markdown file; \`plan import\` reads plans that end in .md`);
  const { text, options } = await readForParsing(file, context, { isDraft: true });
  const imported = importPlan(text, options);
  tell(file, context, imported);
  return imported.yaml;
}

async function readForParsing(
  file: string,
  context: CommandContext,
  use: PlanUse,
): Promise<{ text: string; options: ParseOptions }> {
  const path = resolve(context.cwd, file);
  const text = await readText(path, file);
  const shown = relative(context.cwd, path);
  const documents = isMarkdown(file) ? await readDocuments(path, documentsNamed(text)) : undefined;
  return {
    text,
    options: {
      ...use,
      ...(await namesIn(context)),
      file: shown === '' || isAbsolute(file) ? file : shown,
      ...(documents && { documents }),
    },
  };
}

/** The names of agents and MCP servers that plans may use here. Throws AppError E_CONFIG. */
export async function namesIn({ environment }: CommandContext): Promise<KnownNames> {
  const { knownNames, nameFilesOf } = await import('@switchyard/agents');
  return knownNames(nameFilesOf(environment.all));
}

function tell(
  file: string,
  { terminal }: CommandContext,
  { plan, problems, done = [], deferred = [] }: ParseResult,
): void {
  for (const problem of problems) terminal.err(`${formatProblem(problem)}\n`);
  for (const { id, line, why } of done)
    terminal.err(`${file}:${line}: ${oneLine(id)} is done and not run again: ${oneLine(why)}\n`);
  for (const { id, line, why } of deferred)
    terminal.err(`${file}:${line}: not imported, as it is deferred: ${oneLine(id)} (${oneLine(why)})\n`);
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  if (plan === undefined) terminal.err(`${errors} ${errors === 1 ? 'error' : 'errors'} in ${file}\n`);
}

/** A named pipe or a terminal would be waited for without end; a pipe that the shell has opened for us may be read. */
async function mustEnd(path: string): Promise<void> {
  const found = await stat(path);
  const isOurs = /^\/(dev\/(stdin$|fd\/)|proc\/(self|\d+)\/fd\/)/.test(path);
  if (found.isFile() || found.isDirectory() || (isOurs && (found.isFIFO() || found.isSocket()))) return;
  const what = found.isFIFO() ? 'a named pipe' : found.isSocket() ? 'a socket' : 'a device';
  throw new Error(`it is ${what}, and a plan is a file`);
}

/** At most one byte more than a plan may have, whatever the file is (a pipe may never end). */
async function readText(path: string, shown: string): Promise<string> {
  const bytes = new Uint8Array(limits.planFileBytes + 1);
  let length = 0;
  try {
    await mustEnd(path);
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
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder, and a plan is a file';
  return messageOf(cause);
}
