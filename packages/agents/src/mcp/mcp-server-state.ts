import { AppError } from '@switchyard/protocol';
import { findProgram, type FoundProgram, type ProgramSearch } from '../registry/find-program.ts';
import type { McpCatalogue } from './mcp-catalogue.ts';
import type { McpServerSpec } from './mcp-server-spec.ts';

/** Whether a server of the catalogue can be started on this machine. */
export interface McpServerState {
  readonly name: string;
  readonly spec: McpServerSpec;
  readonly program: FoundProgram | undefined;
  /** Variables that it needs and that are not set. */
  readonly missingEnv: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

export function mcpServerStates(
  catalogue: McpCatalogue,
  search: ProgramSearch,
  env: Environment,
): McpServerState[] {
  return [...catalogue].map(([name, spec]) => ({
    name,
    spec,
    program: findProgram(spec.program, search),
    missingEnv: spec.env.filter((variable) => !env[variable]),
  }));
}

/** How a server is started for one attempt. */
export interface McpServerLaunch {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly network: readonly string[];
  readonly programFolders: readonly string[];
}

/** Throws AppError E_MCP_SERVER for a server that is not in the catalogue, not installed, or lacks a variable. */
export function mcpServerLaunch(
  name: string,
  around: {
    readonly catalogue: McpCatalogue;
    readonly search: ProgramSearch;
    readonly env: Environment;
    readonly tree: string;
  },
): McpServerLaunch {
  const { catalogue, search, env, tree } = around;
  const spec = catalogue.get(name);
  if (spec === undefined)
    throw wrong(name, `is not in the catalogue (there are: ${[...catalogue.keys()].join(', ')})`);
  const program = findProgram(spec.program, search);
  if (program === undefined) {
    const how = spec.install === undefined ? '' : `: npm install --prefix FOLDER ${spec.install}`;
    throw wrong(name, `needs the program ${spec.program}, which is not on this machine${how}`);
  }
  const values = spec.env.map((variable): [string, string] => {
    const value = env[variable];
    if (!value)
      throw wrong(name, `needs the variable ${variable} in the worker's environment, and it is not set`);
    return [variable, value];
  });
  return {
    name,
    argv: [program.path, ...spec.args.map((arg) => arg.replaceAll('{{tree}}', tree))],
    env: Object.fromEntries(values),
    network: spec.network,
    programFolders: program.folders,
  };
}

function wrong(name: string, what: string): AppError {
  return new AppError('E_MCP_SERVER', `the MCP server ${name} ${what}`);
}
