import { isAbsolute, join } from 'node:path';
import type { OfferedTool, Property, Step, ToolCall } from './script.ts';

const writeNames =
  /^(?:mcp__acp__)?(?:write|write_file|write_to_file|create_file|create|createfile|string_replace_editor|editor|save[_-]file)$/i;
const readNames = /^(?:mcp__acp__)?(?:read|read_file|view|readfile|read_files|view_file)$/i;
const shellNames =
  /^(?:mcp__acp__)?(?:bash|shell|exec_command|run_shell_command|execute_command|local_shell|shell_command|run_commands|execute_bash|execute|terminal|run_terminal_command|runTerminalCommand|launch-process)$/i;

const pathKeys = [
  'file_path',
  'filePath',
  'filepath',
  'absolute_path',
  'path',
  'target_file',
  'file',
  'filename',
];
const contentKeys = ['content', 'contents', 'file_text', 'file_content', 'text', 'new_text', 'new_str'];
const commandKeys = ['command', 'cmd', 'commands', 'script'];

/** Whether these are the tools of an agent at work, and not of a side request (a title, a summary). */
export function canWork(tools: readonly OfferedTool[]): boolean {
  return tools.some(
    ({ name }) => writeNames.test(name) || shellNames.test(name) || name === 'apply_patch' || name === 'edit',
  );
}

/** The agent's own tool with its own argument names for a step; nothing where it has none. */
export function bindStep(step: Step, tools: readonly OfferedTool[], cwd: string): ToolCall | undefined {
  if ('tool' in step) return bindTool(step.tool, step.args ?? {}, tools);
  if ('write' in step) return bindWrite(placed(step.write.path, cwd), step.write.content, tools);
  if ('read' in step) return bindRead(placed(step.read.path, cwd), tools);
  if ('shell' in step) return bindShell(step.shell, tools);
  return undefined;
}

/** By its full name, also where the form groups tools. */
function bindTool(
  name: string,
  args: Readonly<Record<string, unknown>>,
  tools: readonly OfferedTool[],
): ToolCall {
  const namespace = tools.find((tool) => tool.name === name)?.namespace;
  return namespace === undefined
    ? { name, args }
    : { name: name.slice(namespace.length + 2), args, namespace };
}

function placed(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}

function bindWrite(path: string, content: string, tools: readonly OfferedTool[]): ToolCall | undefined {
  const tool = tools.find(({ name }) => writeNames.test(name));
  if (tool !== undefined) {
    const { properties } = tool;
    const args = {
      ...('command' in properties && 'file_text' in properties && { command: 'create' }),
      [keyOf(properties, pathKeys, 'path')]: path,
      [keyOf(properties, contentKeys, 'content')]: content,
    };
    return { name: tool.name, args: filled(args, tool) };
  }
  const patching = tools.find(({ name }) => name === 'apply_patch');
  if (patching === undefined) return bindShell(`printf '%s' ${quoted(content)} > ${quoted(path)}`, tools);
  const lines = content.split('\n').map((line) => `+${line}`);
  const patch = `*** Begin Patch\n*** Add File: ${path}\n${lines.join('\n')}\n*** End Patch`;
  if (patching.freeform) return { name: patching.name, input: patch };
  return {
    name: patching.name,
    args: { [keyOf(patching.properties, ['input', 'patch', 'patchText'], 'input')]: patch },
  };
}

function bindRead(path: string, tools: readonly OfferedTool[]): ToolCall | undefined {
  const tool = tools.find(({ name }) => readNames.test(name));
  if (tool === undefined) return bindShell(`cat ${quoted(path)}`, tools);
  return { name: tool.name, args: filled({ [keyOf(tool.properties, pathKeys, 'path')]: path }, tool) };
}

function bindShell(line: string, tools: readonly OfferedTool[]): ToolCall | undefined {
  const tool = tools.find(({ name }) => shellNames.test(name));
  if (tool === undefined) return undefined;
  const key = keyOf(tool.properties, commandKeys, 'command');
  const isList = tool.properties[key]?.type === 'array';
  const list = key === 'commands' ? [line] : ['bash', '-lc', line];
  return { name: tool.name, args: filled({ [key]: isList ? list : line }, tool) };
}

function keyOf(properties: OfferedTool['properties'], names: readonly string[], otherwise: string): string {
  return names.find((name) => name in properties) ?? otherwise;
}

/** What else the tool requires, with something that its schema takes. */
function filled(args: Record<string, unknown>, tool: OfferedTool): Record<string, unknown> {
  const missing = tool.required.filter((name) => !(name in args));
  return { ...args, ...Object.fromEntries(missing.map((name) => [name, filling(tool.properties[name])])) };
}

function filling(property: Property | undefined): unknown {
  if (property?.enum !== undefined) return property.enum[0];
  switch (property?.type) {
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return 0;
    case 'array':
      return [];
    default:
      return 'scripted';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
