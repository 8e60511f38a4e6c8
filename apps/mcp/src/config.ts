import { commandLineOf, isMode, modeSlugs } from './mode.ts';
import type { Environment } from '@switchyard/access';
import { AppError } from '@switchyard/protocol';
import { loadConfig, readFlags } from '@switchyard/runtime';
import { z } from 'zod';

const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .pipe(z.array(z.string().min(1)));

/** What the MCP server can be told, by flag or environment (`SWITCHYARD_…`). */
export const configSchema = z.object({
  repository: z.string().optional().describe('a folder inside the git repository (default: the current one)'),
  state: z.string().optional().describe('state folder of the repository (default: in your own state folder)'),
  hub: z.string().optional().describe('talk to this orchestrator'),
  tokenFile: z
    .string()
    .optional()
    .describe('a file that holds the token for it (environment: SWITCHYARD_TOKEN)'),
  fingerprint: z.string().optional().describe('the only certificate to accept'),
  mode: z
    .string()
    .refine(isMode, `may be ${modeSlugs.join(', ')} or reviewer-…`)
    .default('orchestrator')
    .describe('the mode of the agent; in any but orchestrator it may look and nothing else'),
  approve: z
    .enum(['ask', 'require', 'never'])
    .default('ask')
    .describe(
      'spawning: ask the user where the client can show a question, require that it can, or never ask',
    ),
  agent: z.string().optional().describe('the agent that works on spawned tasks, for example claude-code'),
  model: z.string().optional().describe('the model that works on spawned tasks'),
  command: z.string().optional().describe('the command line that works on spawned tasks'),
  sandbox: z.enum(['on', 'off']).default('on').describe('off: commands run without isolation (--no-sandbox)'),
  http: z.stringbool().default(false).describe('serve streamable HTTP on the loopback instead of stdio'),
  port: z.coerce.number().int().min(0).max(65_535).default(7421).describe('of HTTP; 0: any free one'),
  httpTokenFile: z
    .string()
    .optional()
    .describe('a file with the token that HTTP clients must show (default: mcp-token in the state folder)'),
  allowedHosts: list.optional().describe('further names in the Host header, comma separated, for a proxy'),
  allowedOrigins: list.optional().describe('web origins that may ask, comma separated (default: none)'),
});

/** Everything the MCP server knows of its surroundings. */
export interface McpConfig extends z.output<typeof configSchema> {
  readonly environment: Environment;
  readonly cwd: string;
}

/** Reads flags once. Throws AppError E_USAGE, E_CONFIG. */
export function readConfig(argv: readonly string[], environment: Environment, cwd: string): McpConfig {
  // SWITCHYARD_STATE names the root of all state folders, not the one of this repository.
  const sources = {
    flags: readFlags(commandLineOf(argv), configSchema),
    env: { ...environment.all, SWITCHYARD_STATE: undefined },
  };
  const config = loadConfig(configSchema, sources);
  const workers = [config.agent, config.model, config.command].filter((value) => value !== undefined);
  if (workers.length > 1)
    throw new AppError(
      'E_CONFIG',
      '--agent, --model and --command each say who works on spawned tasks; give one',
    );
  return { ...config, environment, cwd };
}
