import { AppError } from '@switchyard/protocol';
import { z } from 'zod';
import type { CommandResult, CommandWrites } from '../executor.ts';
import type { FileAccess } from './file-access.ts';
import type { McpCaller } from './mcp-caller.ts';
import type { SpawnAnswer, SpawnRequest } from '../spawn-request.ts';
import type { ToolGroup } from './tool-groups.ts';

/** A command as a tool asks for it. */
export interface ToolCommand {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  /** `none`: the command sees everything that is readable and writes nothing that lasts. */
  readonly writes: CommandWrites;
}

/** What tools work with. What is absent cannot be done here, whatever the mode grants. */
export interface ToolPorts {
  readonly files: FileAccess;
  /** The checkout, where relative paths start. */
  readonly root: string;
  readonly run: (command: ToolCommand) => Promise<CommandResult>;
  readonly mcp?: McpCaller;
  /** Asks the orchestrating agent or a person, and waits for the answer. Absent: asking ends the attempt. */
  readonly ask?: (question: string, attemptedSolutions: readonly string[]) => Promise<string>;
  readonly spawn?: (request: SpawnRequest) => Promise<SpawnAnswer>;
  /** Takes the plan that the task is to draft, and says what came of it. Absent: the task drafts none. */
  readonly handInPlan?: (plan: string) => Promise<string>;
  readonly signal: AbortSignal;
}

/** What a call came to: `completed` and `escalated` end the work. */
export type ToolAnswer =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'completed'; readonly summary: string }
  | { readonly kind: 'escalated'; readonly reason: string; readonly attemptedSolutions: readonly string[] };

/** One tool of the set: what the model is told of it, and what it does. */
export interface Tool {
  readonly name: string;
  /** `always`: in every mode. */
  readonly group: ToolGroup | 'always';
  /** What of the surroundings it cannot do without; absent: only what is always there. */
  readonly needs?: 'mcp' | 'spawn' | 'handInPlan' | undefined;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether it can be done beside others of the same turn. */
  readonly isParallel: boolean;
  /** Rejects with AppError: E_TOOL_INPUT for arguments that do not fit, and what the ports say. */
  run(input: unknown, ports: ToolPorts): Promise<ToolAnswer>;
}

interface Definition<Schema extends z.ZodObject> {
  readonly name: string;
  readonly group: Tool['group'];
  readonly needs?: Tool['needs'];
  readonly description: string;
  readonly input: Schema;
  readonly isParallel?: boolean;
  run(input: z.output<Schema>, ports: ToolPorts): Promise<ToolAnswer | string>;
}

/** Makes a tool whose arguments pass its schema first. */
export function defineTool<Schema extends z.ZodObject>(definition: Definition<Schema>): Tool {
  const { name, group, needs, description, input, isParallel = false } = definition;
  return {
    name,
    group,
    needs,
    description,
    isParallel,
    parameters: z.toJSONSchema(input, { io: 'input', target: 'draft-7' }),
    async run(given, ports) {
      const parsed = input.safeParse(given);
      if (!parsed.success) throw inputError(name, parsed.error, Object.keys(input.shape));
      const answer = await definition.run(parsed.data, ports);
      return typeof answer === 'string' ? { kind: 'answer', text: answer } : answer;
    },
  };
}

function inputError(name: string, error: z.ZodError, known: readonly string[]): AppError {
  const problems = error.issues.map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return new AppError(
    'E_TOOL_INPUT',
    `${name} cannot be called like this: ${problems.join('; ')}. It takes: ${known.join(', ')}.`,
  );
}
