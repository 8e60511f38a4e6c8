import { executorKinds, limits, plan as planSchema, type Plan, type PlanProblem } from '@switchyard/protocol';
import type { ZodError } from 'zod';
import { graphTaskOf } from './added-tasks.ts';
import { withoutAliases } from './aliases.ts';
import { canonicalPlan } from './canonical.ts';
import { planFile, type PlanFile } from './file-schema.ts';
import { readTasks, type AgentsByKind } from './file-tasks.ts';
import { lintGraph, type GraphTask } from './graph-lint.ts';
import { idleReviews } from './idle-reviews.ts';
import { isMarkdown } from './is-markdown.ts';
import type { LeftOut } from './markdown/draft.ts';
import { readMarkdown, refuseMarkdown } from './markdown/read-markdown.ts';
import { inOrder, problemAt, type Place, type ProblemText } from './problem.ts';
import { readYaml, type Complaint } from './read-yaml.ts';
import type { ExpandedPipeline } from './pipeline-steps.ts';
import { expandPipelines } from './pipelines.ts';
import { checkPath } from './repository-path.ts';
import { schemaComplaints } from './schema-problems.ts';
import { child, nodeAt, plainValue, textsOf, type SourceNode } from './source-node.ts';

export interface ParseOptions {
  /** Stands in every problem, and names a plan that has no name. */
  readonly file: string;
  /** Kinds of executors that exist here; default all. */
  readonly executors?: readonly string[];
  /** Names of known agents, for each kind of executor that drives some; absent: any name will do. */
  readonly agents?: AgentsByKind;
  /** Names of MCP servers that tasks may name; absent: any name will do. */
  readonly mcpServers?: readonly string[];
  /** Texts of the documents that a Markdown plan names (`documentsNamed`), by their paths as written. */
  readonly documents?: ReadonlyMap<string, string>;
  /** A Markdown plan with an open activation checklist may be looked at, though not run. */
  readonly isDraft?: boolean;
  /** The running plan that the tasks of this file are to be added to, and may depend on. */
  readonly addTo?: Plan;
}

export interface ParseResult {
  /** Present if and only if no problem is an error. */
  readonly plan?: Plan;
  readonly problems: readonly PlanProblem[];
  /** Tasks of a Markdown plan that are done, and so not in the plan. */
  readonly done?: readonly LeftOut[];
  /** What a Markdown plan puts off. */
  readonly deferred?: readonly LeftOut[];
  /** What the templates of the file have become. */
  readonly pipelines?: readonly ExpandedPipeline[];
}

/** Reads a plan file, YAML or Markdown: all its problems at once, each with its place, and the canonical plan if it has no error. */
export function parsePlan(text: string, options: ParseOptions): ParseResult {
  const refused = refuseUnread(text, options.file);
  if (refused !== undefined)
    return { problems: [problemAt({ file: options.file, line: 1, column: 1 }, refused)] };
  const { root, placeOf, left, ...read } = readFile(text, options);
  const complaints = [...read.complaints, ...notUtf8(text)];
  const asProblem = (complaint: Complaint): PlanProblem => problemAt(placeOf(complaint.offset), complaint);
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) {
    const found = complaints.length > 0 ? complaints : [empty];
    return { problems: inOrder(found.map(asProblem)), ...left };
  }
  const checked = checkTree(root, complaints);
  const tasks = checked.tooManyTasks
    ? { graph: [], problems: [] }
    : readTasks(checked.root, {
        placeOf,
        executors: options.executors ?? executorKinds,
        agents: options.agents ?? {},
        mcpServers: options.mcpServers,
      });
  const problems = inOrder([
    ...checked.complaints.map(asProblem),
    ...tasks.problems,
    ...lintGraph([...settledTasks(options.addTo), ...tasks.graph]),
  ]);
  const { pipelines } = checked;
  if (checked.file === undefined || problems.some((problem) => problem.severity === 'error'))
    return { problems, ...left };
  const finished = finish(checked.file, { root: checked.root, problems, placeOf, file: options.file });
  return {
    ...withIdleReviews(finished, tasks.graph, options),
    ...left,
    ...(pipelines.length === 0 ? {} : { pipelines }),
  };
}

/** Tasks that are added to a run come after what it has changed already. */
function withIdleReviews(
  finished: ParseResult,
  graph: readonly GraphTask[],
  { addTo, file }: ParseOptions,
): ParseResult {
  if (finished.plan === undefined || addTo !== undefined) return finished;
  const places = new Map(graph.map(({ id, place }) => [id, place]));
  const idle = idleReviews(finished.plan, (id) => places.get(id) ?? { file, line: 1, column: 1 });
  return idle.length === 0 ? finished : { ...finished, problems: inOrder([...finished.problems, ...idle]) };
}

/** A plan as a tree, whatever it is written in. */
interface ReadFile {
  readonly root?: SourceNode;
  readonly complaints: readonly Complaint[];
  readonly placeOf: (offset: number) => Place;
  readonly left?: { readonly done: readonly LeftOut[]; readonly deferred: readonly LeftOut[] };
}

function readFile(text: string, options: ParseOptions): ReadFile {
  if (isMarkdown(options.file)) {
    const { places, done, deferred, ...read } = readMarkdown(text, options);
    return { ...read, placeOf: (offset) => places.placeOf(offset), left: { done, deferred } };
  }
  const { lines, ...read } = readYaml(text);
  return {
    ...read,
    placeOf: (offset) => {
      const { line, col } = lines.linePos(offset);
      return { file: options.file, line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
}

function settledTasks(plan: Plan | undefined): readonly GraphTask[] {
  const place = { file: 'the running plan', line: 1, column: 1 };
  return plan?.tasks.map((task) => graphTaskOf(task, place, true)) ?? [];
}

const empty: Complaint = {
  offset: 0,
  code: 'PLAN_EMPTY',
  message: 'The file holds no plan',
  fix: 'write `tasks:` and a list of tasks; `switchyard plan schema` says what a plan may have',
};

/** What is not even looked into: too large, no text, another format. */
function refuseUnread(text: string, file: string): ProblemText | undefined {
  const bytesMax = isMarkdown(file) ? limits.markdownPlanBytes : limits.planFileBytes;
  if (utf8Length(text) > bytesMax)
    return {
      code: 'PLAN_TOO_LARGE',
      message: `The file is larger than ${bytesMax} bytes`,
      fix: isMarkdown(file) ? 'split the plan, or write it in YAML' : 'split the plan',
    };
  if (looksBinary(text))
    return {
      code: 'PLAN_BINARY',
      message: 'The file is no UTF-8 text',
      fix: 'a plan is YAML or Markdown; save it as UTF-8',
    };
  return isMarkdown(file) ? refuseMarkdown(text) : undefined;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** A zero byte, or many places that were no UTF-8 (the reader of the file puts U+FFFD there). */
function looksBinary(text: string): boolean {
  const head = text.slice(0, 8192);
  if (text.includes('\u0000')) return true;
  const strange = head.match(/\uFFFD|(?![\t\n\r\f\v\u0085])\p{Cc}/gu)?.length ?? 0;
  return strange > head.length / 50;
}

/** Single bytes of another encoding: what was read in their place would be run, or become a path, as it never stood there. */
function notUtf8(text: string): Complaint[] {
  const first = text.indexOf('\uFFFD');
  if (first < 0) return [];
  return [
    {
      offset: first,
      code: 'PLAN_BINARY',
      message: 'Here stands what is no UTF-8 (or U+FFFD, which is read for it)',
      fix: 'save the file as UTF-8; between double quotes, U+FFFD itself is written `\\uFFFD`',
    },
  ];
}

interface Checked {
  readonly root: SourceNode;
  readonly complaints: readonly Complaint[];
  readonly tooManyTasks: boolean;
  readonly pipelines: readonly ExpandedPipeline[];
  readonly file?: PlanFile;
}

function checkTree(read: SourceNode, found: readonly Complaint[]): Checked {
  const complaints = [...found];
  const { root, pipelines } = expandPipelines(withoutAliases(read, complaints), complaints);
  const parsed = planFile.safeParse(plainValue(root));
  if (!parsed.success)
    complaints.push(...schemaComplaints(root, issuesOf(parsed.error, read, root)).filter(isNews(found)));
  complaints.push(...pathComplaints(root));
  const tasks = child(root, 'tasks');
  const tooManyTasks = tasks?.kind === 'list' && tasks.items.length > limits.planTasks;
  return { root, complaints, tooManyTasks, pipelines, ...(parsed.success ? { file: parsed.data } : {}) };
}

/** That there are no tasks has been told of a document already. */
function isNews(found: readonly Complaint[]): (complaint: Complaint) => boolean {
  const isEmpty = found.some(({ code }) => code === 'PLAN_EMPTY' || code === 'PLAN_ALL_DONE');
  return ({ message }) => !isEmpty || !message.startsWith('"tasks" must have at least');
}

/** Tasks are not missing where there are pipelines, whatever is wrong with those. */
function issuesOf({ issues }: ZodError, read: SourceNode, root: SourceNode): ZodError['issues'] {
  const hasPipelines = child(read, 'pipelines') !== undefined;
  if (!hasPipelines || child(root, 'tasks') !== undefined) return issues;
  return issues.filter(({ path }) => !(path.length === 1 && path[0] === 'tasks'));
}

/** Paths beside the workspaces, which the tasks' own check reads. */
function pathComplaints(root: SourceNode): Complaint[] {
  const tasks = child(root, 'tasks');
  const nodes = tasks?.kind === 'list' ? tasks.items : [];
  const reads = [...nodes, child(root, 'defaults')].flatMap((node) => listTexts(child(node, 'reads')));
  return [
    ...reads.flatMap(({ text, offset }) => pathComplaint(text, offset, 'Path in "reads":')),
    ...textsOf(child(root, 'include')).flatMap(({ text, offset }) =>
      pathComplaint(text, offset, 'Path in "include":'),
    ),
    ...textsOf(child(root, 'scratch')).flatMap(({ text, offset }) =>
      pathComplaint(text, offset, 'Pattern in "scratch":', true),
    ),
  ];
}

function listTexts(node: SourceNode | undefined): ReturnType<typeof textsOf> {
  return node?.kind === 'list' ? textsOf(node) : [];
}

function pathComplaint(text: string, offset: number, what: string, pattern = false): Complaint[] {
  const checked = checkPath(text, what, { pattern });
  return text === '' || checked.kind === 'ok' ? [] : [{ offset, ...checked.text }];
}

interface Finish {
  readonly root: SourceNode;
  readonly problems: readonly PlanProblem[];
  readonly placeOf: (offset: number) => Place;
  readonly file: string;
}

/** The last word is protocol's: what its schema refuses is a problem too, though the file's schema let it pass. */
function finish(file: PlanFile, { root, problems, placeOf, file: name }: Finish): ParseResult {
  const parsed = planSchema.safeParse(canonicalPlan(file, name));
  if (parsed.success) return { plan: parsed.data, problems };
  const more = parsed.error.issues.map((issue) =>
    problemAt(placeOf(nodeAt(root, issue.path).offset), {
      code: 'PLAN_VALUE',
      message: `"${issue.path.map(String).join('.')}": ${issue.message}`,
      fix: 'see `switchyard plan schema`',
    }),
  );
  return { problems: inOrder([...problems, ...more]) };
}
