import {
  AppError,
  finding,
  isAppError,
  messageOf,
  severity,
  type Finding,
  type Specialization,
} from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import { posix } from 'node:path';
import { z } from 'zod';
import type { AgentEvent } from '../agent-event.ts';
import type { CommandResult } from '../executor.ts';
import { modeOfBase } from '../modes/mode-of-base.ts';
import type { FileAccess } from '../tools/file-access.ts';
import { defineTool, type Tool, type ToolCommand } from '../tools/tool.ts';
import { toolSet } from '../tools/tool-set.ts';
import { openToolbox } from '../tools/toolbox.ts';
import { runLoop } from './agent-loop.ts';
import { llmLimits, type LlmLimits } from './llm-limits.ts';
import { openModel, type ModelAccess } from './open-model.ts';
import { systemText } from './prompt-text.ts';
import { reviewText, type ReviewSubject } from './review-text.ts';

/** A change to be reviewed, and the places where that may be done. */
export interface ReviewJob {
  readonly assignment: ReviewSubject;
  /** The checkout of the commit. */
  readonly root: string;
  readonly files: FileAccess;
  /** Files of the change that are there and are text. */
  readonly changed: readonly string[];
  /** Unified, from the base to the commit. Empty: files are judged as they stand. */
  readonly diff: string;
  /** `.roomodes` of the base; undefined: it has none. */
  readonly roomodes: string | undefined;
  /** Runs a command that can write nothing that lasts. */
  readonly run: (command: ToolCommand) => Promise<CommandResult>;
  readonly signal: AbortSignal;
  readonly event: (event: AgentEvent) => void;
}

export interface ModelReviewOptions {
  readonly model: string;
  readonly endpoint: ModelAccess;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<LlmLimits>;
}

/** What a model says of a change; whether that rejects it is for the reviewer's rules. */
export interface ModelReview {
  readonly findings: readonly Finding[];
  readonly summary: string;
}

/** What came of reading a file. */
type Sight = 'read' | { readonly refused: string };

/** So many changed files have to be read before a verdict counts. */
const readRequired = 50;

/**
 * Lets a model review a change in the mode of a reviewer: it reads, runs commands that write nothing, and hands in its
 * findings by a tool that takes them only when the changed files were read; of one that cannot be read a finding says so.
 * Throws AppError E_MODEL, E_AGENT_STUCK,
 * E_ROOMODES, and the signal's reason: without a verdict there is none.
 */
export async function reviewByModel(job: ReviewJob, options: ModelReviewOptions): Promise<ModelReview> {
  const { assignment, root, files, run, signal, event } = job;
  const { specialization } = assignment;
  const mode = modeOfBase({ roomodes: job.roomodes, role: 'reviewer', slug: `reviewer-${specialization}` });
  const seen = new Map<string, Sight>();
  const handed: { review?: ModelReview } = {};
  const tools = [
    // A review ends in its own way; what its mode does not grant is refused by name.
    ...toolSet
      .filter(({ group }) => group !== 'always')
      .map((tool) => (tool.name === 'read_file' ? noting(tool, root, seen) : tool)),
    submitTool({ job, seen, take: (review) => (handed.review = review) }),
  ];
  const end = await runLoop({
    model: await openModel(options.model, options.endpoint),
    toolbox: openToolbox(mode, { files, root, run, signal }, tools),
    system: systemText(mode, root, 'submit_review'),
    task: reviewText(job),
    limits: { ...llmLimits, ...options.limits },
    clock: options.clock,
    random: options.random,
    signal,
    event,
    progress: () => undefined,
  });
  if (end.kind === 'failed') throw new AppError(end.failure.code, end.failure.message);
  if (handed.review === undefined)
    throw new AppError('E_AGENT_STUCK', 'the model ended its review without a verdict');
  return handed.review;
}

/** The same tool; which files it has shown, or could not, is noted. */
function noting(tool: Tool, root: string, seen: Map<string, Sight>): Tool {
  const asked = z.object({ path: z.string() });
  return {
    ...tool,
    async run(input, ports) {
      const parsed = asked.safeParse(input);
      const path = parsed.success ? below(root, parsed.data.path) : undefined;
      try {
        const shown = await tool.run(input, ports);
        if (path !== undefined) seen.set(path, 'read');
        return shown;
      } catch (error) {
        if (path !== undefined && !seen.has(path) && !isOfArguments(error))
          seen.set(path, { refused: messageOf(error) });
        throw error;
      }
    },
  };
}

/** The model can mend these, and read the file after all. */
function isOfArguments(error: unknown): boolean {
  return isAppError(error) && error.code === 'E_TOOL_INPUT';
}

function below(root: string, path: string): string {
  return posix.normalize(path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);
}

interface Submitting {
  readonly job: ReviewJob;
  readonly seen: ReadonlyMap<string, Sight>;
  readonly take: (review: ModelReview) => void;
}

const handedIn = z.object({
  summary: z.string().min(1).max(4000).describe('what you looked at and what you think of it'),
  findings: z
    .array(
      z.object({
        severity: severity.describe('critical and major reject the change'),
        file: z.string().max(4096).optional().describe('path below the root'),
        line: z.coerce.number().int().min(1).optional(),
        description: z.string().min(1).max(4000).describe('what is wrong, and why it matters'),
        suggestion: z.string().max(4000).optional().describe('the fix'),
        references: z.array(z.string().max(2000)).max(20).default([]),
      }),
    )
    .max(200)
    .describe('empty when nothing is wrong'),
});

function submitTool({ job, seen, take }: Submitting): Tool {
  return defineTool({
    name: 'submit_review',
    group: 'always',
    description:
      'Hands in your review and ends it. It is taken only when you have read every changed file with read_file.',
    input: handedIn,
    async run({ summary, findings }) {
      const unread = job.changed.slice(0, readRequired).filter((path) => !seen.has(path));
      if (unread.length > 0)
        throw new AppError('E_TOOL_INPUT', `These changed files have not been read: ${unread.join(', ')}.`);
      const taken: Finding[] = notRead(job, seen);
      for (const one of findings) taken.push(await placed(one, job));
      take({ summary, findings: taken });
      return { kind: 'completed', summary };
    },
  });
}

/** Changed files that were asked for and could not be read: the verdict is not about them. */
function notRead({ changed, assignment }: ReviewJob, seen: Submitting['seen']): Finding[] {
  const category: Specialization = assignment.specialization;
  return changed.flatMap((file) => {
    const sight = seen.get(file);
    if (sight === undefined || sight === 'read') return [];
    const description = `The model could not read this file: ${sight.refused}`;
    return [finding.parse({ severity: 'info', category, file, description, rule: `llm/${category}` })];
  });
}

/** Throws E_TOOL_INPUT for a place that is not in the checkout. */
async function placed(one: z.output<typeof handedIn>['findings'][number], job: ReviewJob): Promise<Finding> {
  const category: Specialization = job.assignment.specialization;
  const path = one.file === undefined ? undefined : below(job.root, one.file);
  const isThere =
    path === undefined || job.files.explain(path, 'read').allowed || job.diff.includes(` a/${path}`);
  if (!isThere)
    throw new AppError('E_TOOL_INPUT', `A finding names ${path}, which is no file of the change.`);
  if (path !== undefined && one.line !== undefined) await requireLine(path, one.line, job);
  const { file: _asWritten, ...rest } = one;
  return finding.parse({
    ...rest,
    ...(path !== undefined && { file: path }),
    category,
    rule: `llm/${category}`,
  });
}

/** A line of a file that is gone is of what was there before, and not looked for. */
async function requireLine(path: string, line: number, { files }: ReviewJob): Promise<void> {
  if (!files.explain(path, 'read').allowed) return;
  const text = new TextDecoder().decode(await files.readFile(path));
  const count = text.replace(/\n$/, '').split('\n').length;
  if (line > count)
    throw new AppError('E_TOOL_INPUT', `A finding names line ${line} of ${path}, which has ${count}.`);
}
