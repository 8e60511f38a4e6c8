import { AppError } from '@switchyard/protocol';
import { bridgesAsJson, bridgesAsToml, type McpBridge } from '../mcp/mcp-bridge.ts';
import type { ModelEndpoint } from '../model-endpoint.ts';
import type { Launch } from './agent-spec.ts';

/** What the placeholders of a launch stand for; those of a model that is not there are missing. */
export interface LaunchValues {
  readonly endpoint: ModelEndpoint | undefined;
  readonly model: string | undefined;
  readonly tree: string;
  readonly bridges: readonly McpBridge[];
}

export interface FilledLaunch {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly homeFiles: Readonly<Record<string, string>>;
}

const placeholder = /\{\{(\w+)\}\}/g;

type Lookup = (name: string) => string | undefined;

/**
 * Puts values for placeholders. Throws AppError E_AGENT_MODEL where the agent cannot do without one that is missing, and
 * where a model is named that the agent cannot be told.
 */
export function fillLaunch(launch: Launch, values: LaunchValues): FilledLaunch {
  const lookup = lookupIn(values);
  if (values.model !== undefined && !JSON.stringify(launch).includes('{{model}}')) throw untold(launch);
  return {
    args: launch.args.flatMap((arg) => {
      if (typeof arg === 'string') return [fill(arg, lookup)];
      return arg.some((part) => lacks(part, lookup)) ? [] : arg.map((part) => fill(part, lookup));
    }),
    env: Object.fromEntries(
      Object.entries(launch.env)
        .filter(([, text]) => !isAboutModelOnly(text) || !lacks(text, lookup))
        .map(([name, text]) => [name, fill(text, lookup, text.startsWith('{"') ? escaped : plain)]),
    ),
    homeFiles: Object.fromEntries(
      Object.entries(launch.homeFiles)
        .filter(([, text]) => !text.includes('{{mcpJson}}') || !lacks('{{mcpJson}}', lookup))
        .map(([path, text]) => [path, fill(text, lookup, /\.(?:json|toml)$/.test(path) ? escaped : plain)]),
    ),
  };
}

function lookupIn({ endpoint, model, tree, bridges }: LaunchValues): Lookup {
  const mcpJson = bridges.length === 0 ? undefined : bridgesAsJson(bridges);
  const known: Record<string, string | undefined> = {
    ...endpoint,
    model,
    tree,
    mcpJson,
    mcpToml: bridgesAsToml(bridges),
  };
  return (name) => (Object.hasOwn(known, name) ? known[name] : undefined);
}

/** A variable that names the model, alone or in JSON, is left out where the task names none. */
function isAboutModelOnly(text: string): boolean {
  return text === '{{model}}' || (text.startsWith('{"') && text.includes('{{model}}'));
}

function lacks(text: string, lookup: Lookup): boolean {
  return [...text.matchAll(placeholder)].some(([, name = '']) => lookup(name) === undefined);
}

function fill(text: string, lookup: Lookup, write: (value: string) => string = plain): string {
  return text.replaceAll(placeholder, (_whole, name: string) => {
    const value = lookup(name);
    if (value === undefined) throw missing(name);
    // Tables of their own, not a value within quotes.
    return name === 'mcpToml' ? value : write(value);
  });
}

function plain(value: string): string {
  return value;
}

/** Within the quotes of JSON, and of TOML. */
function escaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** Whether an agent can be told of MCP servers when it is started. */
export function takesMcpServers(launch: Launch): boolean {
  return /\{\{mcp(?:Json|Toml)\}\}/.test(JSON.stringify(launch));
}

function untold({ program }: Launch): AppError {
  return new AppError(
    'E_AGENT_MODEL',
    `${program} cannot be told a model: take \`model:\` out of the executor, or let its entry in the file that SWITCHYARD_AGENTS names say where {{model}} goes`,
  );
}

function missing(name: string): AppError {
  if (name === 'model')
    return new AppError('E_AGENT_MODEL', 'the agent needs to be told a model: add `model:` to its executor');
  const isEndpoint = ['anthropic', 'openai', 'gemini', 'token'].includes(name);
  return isEndpoint
    ? new AppError('E_AGENT_MODEL', 'the agent needs a model, and this worker has none: configure a provider')
    : new AppError('E_CONFIG', `agents: {{${name}}} stands for nothing`);
}
