import { AppError } from '@switchyard/protocol';
import type { ExecutorContext, ExecutorTask, SpawnOptions } from '../executor.ts';
import type { AgentSpec, Launch } from './agent-spec.ts';
import { fillLaunch } from './fill-launch.ts';
import { findProgram, type ProgramSearch } from './find-program.ts';

export type { ProgramSearch } from './find-program.ts';

export interface PreparedLaunch {
  readonly argv: readonly string[];
  readonly spawn: Omit<SpawnOptions, 'timeoutMs'>;
}

/** What of an attempt's context a launch goes by. */
export interface LaunchContext {
  readonly model?: ExecutorContext['model'] | undefined;
  readonly mcpBridges?: ExecutorContext['mcpBridges'] | undefined;
}

/** What both streams of an agent may give: more is no work, but a flood. */
const outputBytesMax = 256 * 1024 * 1024;

/** How an agent is started for one attempt. Throws AppError E_AGENT_MISSING, E_AGENT_MODEL. */
export function prepareLaunch(
  launch: Launch,
  asked: { readonly agent: string; readonly model?: string | undefined; readonly spec: AgentSpec },
  around: {
    readonly task: ExecutorTask;
    readonly context: LaunchContext;
    readonly programs: ProgramSearch;
  },
): PreparedLaunch {
  const program = findProgram(launch.program, around.programs);
  if (program === undefined) throw missingProgram(launch.program, asked);
  const { args, env, homeFiles } = fillLaunch(launch, {
    endpoint: around.context.model,
    model: asked.model,
    tree: around.task.tree,
    bridges: around.context.mcpBridges ?? [],
  });
  return {
    argv: [program.path, ...args],
    spawn: { env, homeFiles, programFolders: program.folders, outputBytesMax },
  };
}

/** Says how the agent is installed. */
export function missingProgram(
  program: string,
  { agent, spec }: { readonly agent: string; readonly spec: AgentSpec },
): AppError {
  const how = spec.install === undefined ? '' : `: npm install --prefix FOLDER ${spec.install}`;
  return new AppError(
    'E_AGENT_MISSING',
    `the program ${program} of the agent ${agent} is not on this machine; install it${how}, and name the folder in SWITCHYARD_AGENT_FOLDERS, or put it on PATH`,
  );
}
