import { commaList, peerConfigShape, type PeerConfig } from '@switchyard/peer';
import { limits } from '@switchyard/protocol';
import { setupEnvironment } from '@switchyard/receipts';
import { loadConfig, readFlags } from '@switchyard/runtime';
import { z } from 'zod';

/** What a worker can be told, by flag or environment (`SWITCHYARD_…`). */
export const configSchema = z.object({
  ...peerConfigShape,
  slots: z.coerce.number().int().min(1).max(64).default(1).describe('attempts at once'),
  wipIntervalMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400_000)
    .default(limits.wipIntervalMs)
    .describe('time between two looks at the work in progress of an attempt (0: only at its end)'),
  models: z
    .string()
    .optional()
    .describe('a JSON file with the providers of models, their keys, quotas and prices'),
  agents: z.string().optional().describe('a JSON file that describes agents beside the known ones'),
  agentFolders: z
    .string()
    .optional()
    .describe('folders that agents are installed in, separated as in PATH; they come before it'),
  mcpServers: z.string().optional().describe('a JSON file with MCP servers for tasks, beside the known ones'),
  labels: commaList.default([]).describe('what it offers, comma separated, for `requires` and `workerType`'),
});

/** Everything the worker knows of its surroundings. */
export type WorkerConfig = z.output<typeof configSchema> &
  PeerConfig & {
    /** Passed on to set-ups that may use the network: registries and proxies. */
    readonly networkEnv: Readonly<Record<string, string>>;
  };

/** Reads flags and environment once. Throws AppError E_USAGE, E_CONFIG. */
export function readConfig(
  argv: readonly string[] = process.argv.slice(2),
  env: Readonly<Record<string, string | undefined>> = process.env,
): WorkerConfig {
  // SWITCHYARD_STATE names the root of all state folders, not the one of this repository.
  const sources = { flags: readFlags(argv, configSchema), env: { ...env, SWITCHYARD_STATE: undefined } };
  return {
    ...loadConfig(configSchema, sources),
    token: env['SWITCHYARD_TOKEN'] || undefined,
    networkEnv: setupEnvironment(env),
    searchPath: env['PATH'],
    env,
  };
}
