import { commaList, peerConfigShape, type PeerConfig } from '@switchyard/peer';
import { setupEnvironment } from '@switchyard/receipts';
import { loadConfig, readFlags } from '@switchyard/runtime';
import { z } from 'zod';

/** What a worker can be told, by flag or environment (`SWITCHYARD_…`). */
export const configSchema = z.object({
  ...peerConfigShape,
  slots: z.coerce.number().int().min(1).max(64).default(1).describe('attempts at once'),
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
