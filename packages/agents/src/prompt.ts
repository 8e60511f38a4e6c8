import type { Finding, TaskAssignment } from '@switchyard/protocol';
import type { ExecutorTask } from './executor.ts';
import { listItem } from './list-item.ts';
import { askToolName } from './mcp/ask-tool.ts';
import { ownServerName } from './mcp/own-server.ts';
import { builtInModes, roleOf } from './modes/built-in.ts';
import { isOrchestrating } from './modes/mode-of-task.ts';
import type { Mode } from './modes/mode.ts';
import { spawnParallelInstance } from './tools/outward-tools.ts';

/** What an agent is told of its task: instructions, where it may write, when it is done, and what went wrong before. */
export function promptOf(
  task: ExecutorTask,
  { canAsk = false, mode }: { readonly canAsk?: boolean; readonly mode?: Mode } = {},
): string {
  const { assignment } = task;
  const sections = [
    modeSection(mode),
    `# Task: ${assignment.taskId}\n\n${assignment.instructions.trim()}`,
    placeSection(task),
    upstreamSection(task),
    doneSection(assignment),
    findingsSection(assignment),
    answerSection(assignment),
    inputsSection(assignment),
    canAsk && isOrchestrating(assignment) && assignment.draft === undefined ? spawnSection : '',
    askSection(task, canAsk),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

const spawnSection = `## Adding tasks

The tool ${spawnParallelInstance.name} of the MCP server ${ownServerName} adds a task to the run: another agent carries it out in parallel, in the workspace that you give it. Workspaces of tasks that run at the same time may not overlap.`;

/** The words of a mode of the repository's own, or of who orchestrates; a program has its own for what else we build in. */
function modeSection(mode: Mode | undefined): string {
  if (mode === undefined || usual.some(({ roleDefinition }) => roleDefinition === mode.roleDefinition))
    return '';
  return ['# Who you are', mode.roleDefinition, mode.customInstructions]
    .filter((text) => text !== undefined)
    .join('\n\n');
}

const usual = builtInModes.filter(({ slug }) => roleOf(slug) !== 'orchestrator');

function placeSection({ assignment, tree }: ExecutorTask): string {
  const { workspace, reads, kind } = assignment;
  const lines = [
    `You work in a checkout of the repository, the current folder: ${tree}`,
    kind === 'implement'
      ? `You may create and change files only here: ${workspace.join(', ')}. Everything else is read-only; a change elsewhere fails the task.`
      : 'You may change nothing.',
    ...(reads === 'all'
      ? []
      : [`You see only: ${[...workspace, ...(reads === 'workspace' ? [] : reads)].join(', ')}.`]),
    'There is no network. Do not commit: the files are taken up as you leave them.',
    ...(assignment.continueFrom === undefined
      ? []
      : ['Your work of the last round is in place; go on from it.']),
  ];
  return `## Where\n\n${lines.join('\n')}`;
}

/** What came before it: whole in a file, since it may be long. */
function upstreamSection({ assignment, upstreamFile }: ExecutorTask): string {
  const { upstream } = assignment;
  if (upstream.length === 0) return '';
  const names = upstream.map(({ taskId }) => taskId).join(', ');
  return `## The tasks before yours\n\nWhat ${names} came to, what they changed and found, stands as JSON in ${upstreamFile}.`;
}

function doneSection({ acceptance }: TaskAssignment): string {
  if (acceptance.length === 0) return '';
  const lines = acceptance.map((item) =>
    item.kind === 'text'
      ? `- ${item.text}`
      : `- \`${item.run}\` ends with exit code 0 in a fresh checkout${item.text === undefined ? '' : `: ${item.text}`}`,
  );
  return `## Done when\n\n${lines.join('\n')}`;
}

function findingsSection({ feedback, round }: TaskAssignment): string {
  if (feedback.length === 0) return '';
  const items = feedback.map((finding) => listItem(findingText(finding)));
  return `## What the review of the last round found (this is round ${round})\n\n${items.join('\n')}`;
}

function findingText({ severity, file, line, description, suggestion }: Finding): string {
  const where = file === undefined ? '' : ` ${file}${line === undefined ? '' : `:${line}`}`;
  const how = suggestion === undefined ? '' : ` Suggestion: ${suggestion}`;
  return `[${severity}]${where} ${description}${how}`;
}

function answerSection({ answer }: TaskAssignment): string {
  return answer === undefined ? '' : `## The answer to what was asked before\n\n${answer}`;
}

function inputsSection({ inputs }: TaskAssignment): string {
  const lines = Object.entries(inputs).map(([name, value]) => `- ${name}: ${value}`);
  return lines.length === 0 ? '' : `## Values that were given\n\n${lines.join('\n')}`;
}

function askSection({ escalationFile }: ExecutorTask, canAsk: boolean): string {
  const how = canAsk
    ? `Ask with the tool ${askToolName} of the MCP server ${ownServerName}: it waits for the answer. Or write`
    : 'Write';
  return `## If you cannot go on\n\n${how} your question into ${escalationFile} and end; you will be started again with the answer.`;
}
