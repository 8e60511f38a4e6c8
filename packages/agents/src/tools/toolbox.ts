import { AppError, isAppError, type ErrorCode } from '@switchyard/protocol';
import { narrowedFiles } from './narrowed-files.ts';
import { grantOf, mayCommandsWrite, type ToolRights } from './tool-groups.ts';
import { toolSet } from './tool-set.ts';
import type { Tool, ToolAnswer, ToolPorts } from './tool.ts';

/** How a call ended; an `error` is for the model, who may do better. */
export type ToolOutcome =
  ToolAnswer | { readonly kind: 'error'; readonly code: ErrorCode; readonly text: string };

/** The tools of one agent in one mode. This is where modes are enforced: whatever the model calls comes through here. */
export interface Toolbox {
  /** What the mode grants, and the surroundings have. */
  readonly tools: readonly Tool[];
  /** Never rejects for what a call does wrong; rejects with the signal's reason, and for bugs. */
  call(name: string, input: unknown): Promise<ToolOutcome>;
}

/** Opens the tools of a mode over what the surroundings can do. */
export function openToolbox(rights: ToolRights, ports: ToolPorts, set: readonly Tool[] = toolSet): Toolbox {
  const granted = set.filter((tool) => isGranted(rights, tool));
  const held = heldPorts(rights, ports);
  const tools = granted.filter((tool) => hasPort(tool, ports));
  return {
    tools,
    async call(name, input) {
      ports.signal.throwIfAborted();
      try {
        const tool = granted.find((each) => each.name === name);
        if (tool === undefined) throw absent(name, { rights, set, tools });
        return await tool.run(input, held);
      } catch (error) {
        ports.signal.throwIfAborted();
        if (!isAppError(error)) throw error;
        return { kind: 'error', code: error.code, text: textOf(error, ports) };
      }
    },
  };
}

function isGranted(rights: ToolRights, { group }: Tool): boolean {
  return group === 'always' || grantOf(rights, group) !== undefined;
}

/** What nobody can do here is not offered. */
function hasPort({ needs }: Tool, ports: ToolPorts): boolean {
  if (needs === undefined) return true;
  return needs === 'mcp' ? (ports.mcp?.servers ?? []).length > 0 : ports[needs] !== undefined;
}

/** The ports as the mode leaves them, so that no tool has to remember. */
function heldPorts(rights: ToolRights, ports: ToolPorts): ToolPorts {
  const canWrite = mayCommandsWrite(rights);
  return {
    // Opened when a tool asks for them.
    get files() {
      return narrowedFiles(ports.files, ports.root, rights);
    },
    root: ports.root,
    signal: ports.signal,
    run: (command) => ports.run({ ...command, writes: canWrite ? command.writes : 'none' }),
    ...(ports.ask !== undefined && { ask: ports.ask }),
    ...(ports.mcp !== undefined && grantOf(rights, 'mcp') !== undefined && { mcp: ports.mcp }),
    ...(grantOf(rights, 'spawn') !== undefined && outwardOf(ports)),
  };
}

/** What only who orchestrates may do. */
function outwardOf({ spawn, handInPlan }: ToolPorts): Pick<ToolPorts, 'spawn' | 'handInPlan'> {
  return { ...(spawn !== undefined && { spawn }), ...(handInPlan !== undefined && { handInPlan }) };
}

interface Known {
  readonly rights: ToolRights;
  readonly set: readonly Tool[];
  readonly tools: readonly Tool[];
}

function absent(name: string, { rights, set, tools }: Known): AppError {
  const has = tools.length === 0 ? '' : ` It has: ${tools.map((tool) => tool.name).join(', ')}.`;
  const known = set.find((tool) => tool.name === name);
  if (known === undefined)
    return new AppError('E_TOOL_INPUT', `There is no tool "${name.slice(0, 100)}".${has}`);
  return new AppError(
    'E_TOOL_DENIED',
    `The mode "${rights.slug}" does not have the tool group "${known.group}", so not ${name}.${has}`,
  );
}

/** What to do instead, by code; the error's own message says what happened. */
const advice: Partial<Record<ErrorCode, (ports: ToolPorts) => string>> = {
  E_OUTSIDE_WORKSPACE: () => 'Use only paths below the allowed ones; relative paths start at the first.',
  E_READ_ONLY: () =>
    'Only the workspace of the task may be written; the rest of the repository is read-only.',
  E_NOT_FOUND: () => 'list_files shows what is there.',
  E_NO_MATCH: () => 'Read the file again and give the lines exactly as they are.',
  E_IS_DIRECTORY: () => 'list_files lists folders.',
  E_PROTECTED: () => 'No task may change it; go on without.',
  E_DENIED: () => 'Go on without it.',
};

function textOf(error: AppError, ports: ToolPorts): string {
  const next = advice[error.code]?.(ports);
  return `${error.code}: ${error.message}${next === undefined ? '' : ` ${next}`}`;
}
