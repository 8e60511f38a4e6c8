import type { TaskAssignment } from '@switchyard/protocol';
import { listItem } from '../list-item.ts';
import type { Mode } from '../modes/mode.ts';
import type { McpCaller } from '../tools/mcp-caller.ts';
import { mayCommandsWrite } from '../tools/tool-groups.ts';

/** Who the agent is and by which rules it works: the head of every request. */
export function systemText(
  mode: Mode,
  tree: string,
  ending: 'attempt_completion' | 'submit_review' = 'attempt_completion',
): string {
  const rules = [
    'Work by calling tools; what you only say changes nothing. You may call several tools in one turn.',
    `Your working directory is ${tree}, the root of the repository: paths are relative to it, and commands run in it.`,
    ...(mayCommandsWrite(mode) ? [] : ['Commands that you run can write nothing that lasts.']),
    'You have no network, and nobody reads along.',
    ...(ending === 'attempt_completion'
      ? ['Ask with ask_orchestrator, and only when you cannot find out yourself.']
      : []),
    'A refusal says what is allowed. Do not try to get around it.',
    `When everything is done and checked, call ${ending}.`,
  ];
  const words = [mode.roleDefinition, `Rules:\n${rules.map((rule) => `- ${rule}`).join('\n')}`];
  if (mode.customInstructions !== undefined) words.push(mode.customInstructions);
  return words.join('\n\n');
}

/** What the agent is to do: the task, what it will be judged by, and what was said of earlier attempts. */
export function taskText(assignment: TaskAssignment, mcp?: McpCaller): string {
  const { instructions, workspace, acceptance, answer, inputs, feedback } = assignment;
  const sections = [
    `# Task: ${assignment.taskId}\n\n${instructions}`,
    section('You may write only', workspace),
    section('Reading', readsWords(assignment)),
    section(
      'It is accepted when',
      acceptance.map((item) =>
        item.kind === 'run'
          ? `\`${item.run}\` ends with exit code 0${item.text === undefined ? '' : ` (${item.text})`}`
          : item.text,
      ),
    ),
    section('A review found; mend what is critical or major first', feedback.map(findingLine)),
    section(
      'Values',
      Object.entries(inputs).map(([name, value]) => `${name}: ${value}`),
    ),
    section(
      'MCP servers',
      (mcp?.servers ?? []).map(
        ({ name, tools }) =>
          `${name}: ${tools.map((tool) => `${tool.name} (${tool.description})`).join('; ')}`,
      ),
    ),
    ...(answer === undefined ? [] : [`## The answer to your question\n\n${answer}`]),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.map(listItem).join('\n')}`;
}

function readsWords({ reads }: TaskAssignment): string[] {
  if (reads === 'all') return [];
  return reads === 'workspace'
    ? ['Only your workspace is there to be read.']
    : [`Beside your workspace: ${reads.join(', ')}`];
}

function findingLine({
  severity,
  category,
  file,
  line,
  description,
  suggestion,
}: TaskAssignment['feedback'][number]): string {
  const place = file === undefined ? '' : ` ${file}${line === undefined ? '' : `:${line}`}`;
  return `${severity} (${category})${place}: ${description}${suggestion === undefined ? '' : ` Suggested: ${suggestion}`}`;
}
