import { specializations, type PlanProblem } from '@switchyard/protocol';
import { gateProblems } from './gate-rules.ts';
import type { GraphTask } from './graph-lint.ts';
import { isMarkdown } from './is-markdown.ts';
import { problemAt, type Place } from './problem.ts';
import { checkPath } from './repository-path.ts';
import { unshownId } from './task-id.ts';
import { unknownAgent, unknownServer } from './unknown-names.ts';
import { child, textOf, textsOf, type SourceNode, type SourceText } from './source-node.ts';

/**
 * What can be told of the tasks of a file even where other parts of it are wrong, so that all problems come out at
 * once: the graph, and the rules that a schema cannot say.
 */
export interface FileTasks {
  readonly graph: readonly GraphTask[];
  readonly problems: readonly PlanProblem[];
}

/** What the reading of tasks needs to know. */
export interface TaskContext {
  readonly placeOf: (offset: number) => Place;
  /** Kinds of executors that this installation has. */
  readonly executors: readonly string[];
  /** Names of agents by the kind of executor that drives them; a kind that is not there is not checked. */
  readonly agents: AgentsByKind;
  /** Names of MCP servers; undefined: they are not checked. */
  readonly mcpServers: readonly string[] | undefined;
}

export type AgentsByKind = Readonly<Partial<Record<'acp' | 'cli', readonly string[]>>>;

/** Reads the tasks for the checks of the graph and checks each by itself. */
export function readTasks(root: SourceNode, context: TaskContext): FileTasks {
  const list = child(root, 'tasks');
  const nodes = list?.kind === 'list' ? list.items : [];
  const defaults = child(root, 'defaults');
  const problems: PlanProblem[] = [];
  const graph = nodes.flatMap((node) => {
    const id = textOf(child(node, 'id'));
    if (id === undefined) return [];
    problems.push(...unshownId(id.text, context.placeOf(id.offset)));
    const workspace = readWorkspace(node, id.text, { context, problems });
    problems.push(...taskRules(node, { id, defaults, context }));
    return { ...graphTask(node, id, context), ...workspace };
  });
  problems.push(...gateProblems(nodes, context.placeOf, child(root, 'verify')));
  return { graph, problems };
}

function graphTask(
  node: SourceNode,
  id: SourceText,
  context: TaskContext,
): Omit<GraphTask, 'workspace' | 'workspacePlace'> {
  const dependsOn = textsOf(child(node, 'dependsOn'));
  return {
    id: id.text,
    place: context.placeOf(id.offset),
    dependsOn: dependsOn.map(({ text, offset }) => ({ id: text, place: context.placeOf(offset) })),
  };
}

function readWorkspace(
  node: SourceNode,
  id: string,
  into: { context: TaskContext; problems: PlanProblem[] },
): Pick<GraphTask, 'workspace' | 'workspacePlace'> {
  const written = child(node, 'workspace');
  const workspace: string[] = [];
  for (const { text, offset } of textsOf(written)) {
    if (text === '') continue; // the schema speaks of it
    const checked = checkPath(text, `Workspace of task ${id}:`);
    if (checked.kind === 'ok') workspace.push(checked.path);
    else into.problems.push(problemAt(into.context.placeOf(offset), checked.text));
  }
  return { workspace, workspacePlace: into.context.placeOf((written ?? node).offset) };
}

interface RuleContext {
  readonly id: SourceText;
  readonly defaults: SourceNode | undefined;
  readonly context: TaskContext;
}

/** An implement task has a workspace, and its executor exists and has something to do. */
function taskRules(node: SourceNode, { id, defaults, context }: RuleContext): PlanProblem[] {
  const kind = textOf(child(node, 'kind'))?.text ?? 'implement';
  const problems: PlanProblem[] = [];
  const place = context.placeOf(id.offset);
  if (
    kind === 'implement' &&
    textsOf(child(node, 'workspace')).length === 0 &&
    child(node, 'workspace')?.kind !== 'map'
  )
    problems.push(
      problemAt(place, {
        code: 'PLAN_NO_WORKSPACE',
        message: `Task ${id.text} has no workspace, so it may write nothing`,
        fix: isMarkdown(place.file)
          ? 'name the folders or files it may write, between backquotes, in a column `Workspace`, behind `**Workspace**:`, or under `Files` of its document'
          : 'add `workspace:` with the folders or files it may write',
      }),
    );
  if (kind === 'manual') return problems;
  problems.push(...mcpProblems(child(node, 'mcpServers') ?? child(defaults, 'mcpServers'), id.text, context));
  return [...problems, ...executorRules(node, { id, defaults, context, kind })];
}

function executorRules(
  node: SourceNode,
  { id, defaults, context, kind }: RuleContext & { kind: string },
): PlanProblem[] {
  const own = child(node, 'executor');
  const shared = child(defaults, 'executor');
  const executor = executorKind(own) ?? executorKind(shared) ?? 'command';
  const from = own ?? (executorKind(shared) === undefined ? undefined : shared);
  const place = context.placeOf((own ?? child(node, 'id') ?? node).offset);
  if (kind !== 'implement' && from === undefined) return [];
  if (isExecutorKind(executor) && !context.executors.includes(executor)) {
    return [
      problemAt(place, {
        code: 'PLAN_EXECUTOR_UNAVAILABLE',
        message: `Task ${id.text} needs an executor of kind ${executor}, which is not available here`,
        fix: `use one of: ${context.executors.join(', ')}`,
      }),
    ];
  }
  const needed = isExecutorKind(executor) ? neededField[executor] : undefined;
  const inherits =
    own === undefined || executorKind(shared) === executor || executorKind(shared) === undefined;
  const given = needed && (child(own, needed) ?? (inherits ? child(shared, needed) : undefined));
  const unused = executor === 'command' ? unusedServers(child(node, 'mcpServers'), id.text, context) : [];
  if (needed === undefined || given !== undefined) {
    const mode = child(own, 'mode') ?? (inherits ? child(shared, 'mode') : undefined);
    const modes = modeProblems(mode, { id: id.text, context, kind, executor });
    if (modes.length > 0) return modes;
    return needed === 'agent' ? agentProblems(given, executor, { id: id.text, context }) : unused;
  }
  if (executor === 'command' && kind !== 'implement') return [];
  return [problemAt(place, lacking(id.text, executor, { needed, file: place.file }))];
}

/** A command is started without any; that of `defaults` may be for the tasks of agents. */
function unusedServers(node: SourceNode | undefined, id: string, context: TaskContext): PlanProblem[] {
  if (node === undefined || textsOf(node).length === 0) return [];
  return [
    problemAt(context.placeOf(node.offset), {
      severity: 'warning',
      code: 'PLAN_MCP_UNUSED',
      message: `Task ${id} names MCP servers, but what carries it out is a command, which has none`,
      fix: 'leave `mcpServers` out, or give the task to an agent',
    }),
  ];
}

interface ModeContext {
  readonly id: string;
  readonly context: TaskContext;
  readonly kind: string;
  readonly executor: string;
}

/** What tasks have anyway is nobody's to choose; which other modes there are, the base of the run says. */
function modeProblems(
  mode: SourceNode | undefined,
  { id, context, kind, executor }: ModeContext,
): PlanProblem[] {
  const name = textOf(mode);
  if (name === undefined || executor === 'command') return [];
  const told = (message: string, fix: string): PlanProblem[] => [
    problemAt(context.placeOf(name.offset), { code: 'PLAN_MODE', message: `Task ${id} ${message}`, fix }),
  ];
  if (name.text === 'worker')
    return told(
      'chooses the mode worker, which cannot be chosen by hand',
      'leave `mode` out: without it, the task has that mode',
    );
  if (kind !== 'implement') return [];
  if (name.text === 'orchestrator')
    return told(
      'is to change files in the mode orchestrator, which changes none',
      'make it `kind: verify`: its agent reads, and adds tasks to the run',
    );
  if (!reviewerModes.includes(name.text)) return [];
  return told(
    `is to change files in the mode ${name.text}, which changes none`,
    'make it `kind: verify`, or leave `mode` out',
  );
}

const reviewerModes: readonly string[] = ['reviewer', ...specializations.map((each) => `reviewer-${each}`)];

/** An agent that nobody knows, told with those there are. */
function agentProblems(
  node: SourceNode | undefined,
  kind: string,
  { id, context }: { readonly id: string; readonly context: TaskContext },
): PlanProblem[] {
  const name = textOf(node);
  const known = kind === 'acp' || kind === 'cli' ? context.agents[kind] : undefined;
  if (name === undefined || known === undefined || known.includes(name.text)) return [];
  return [problemAt(context.placeOf(name.offset), unknownAgent({ id, agent: name.text, kind, known }))];
}

/** A server that the catalogue lacks would fail each attempt. */
function mcpProblems(node: SourceNode | undefined, id: string, context: TaskContext): PlanProblem[] {
  const { mcpServers: known, placeOf } = context;
  if (known === undefined) return [];
  return textsOf(node)
    .filter(({ text }) => !known.includes(text))
    .map(({ text, offset }) => problemAt(placeOf(offset), unknownServer({ id, server: text, known })));
}

function lacking(
  id: string,
  executor: string,
  { needed, file }: { readonly needed: string; readonly file: string },
): Parameters<typeof problemAt>[1] {
  if (executor === 'command')
    return {
      code: 'PLAN_NO_COMMAND',
      message: `Task ${id} has no command to run`,
      fix: isMarkdown(file)
        ? 'begin the document with front matter: `---`, `executor: { kind: command, run: [...] }`, `---`; or add a column `Command`'
        : 'add `executor: { kind: command, run: [...] }` to it or to `defaults`',
    };
  return {
    code: 'PLAN_EXECUTOR_INCOMPLETE',
    message: `The ${executor} executor of task ${id} has no ${needed}`,
    fix: `add \`${needed}:\` to its executor`,
  };
}

/** What an executor cannot do without. */
const neededField = { command: 'run', acp: 'agent', cli: 'agent', llm: 'model' } as const;

function isExecutorKind(kind: string): kind is keyof typeof neededField {
  return Object.hasOwn(neededField, kind);
}

/** The kind as it is written, or as run, agent or model tell it. */
function executorKind(node: SourceNode | undefined): string | undefined {
  const written = textOf(child(node, 'kind'))?.text;
  if (written !== undefined) return written;
  if (child(node, 'run') !== undefined) return 'command';
  if (child(node, 'agent') !== undefined) return 'acp';
  return child(node, 'model') === undefined ? undefined : 'llm';
}
