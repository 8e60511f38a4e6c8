import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { limits } from '@switchyard/protocol';
import { loadConfig, readFlags } from '@switchyard/runtime';
import { z } from 'zod';

const flag = z.union([z.boolean(), z.enum(['true', 'false', '']).transform((text) => text !== 'false')]);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

/** What a worker can be told, by flag or environment (`SWITCHYARD_…`). */
export const configSchema = z.object({
  /** Address of the hub; absent: the orchestrator of the repository. */
  hub: z
    .string()
    .regex(/^wss?:\/\//, 'must begin with ws:// or wss://')
    .optional(),
  /** A file that holds the token. */
  tokenFile: z.string().optional(),
  /** The certificate's fingerprint, as the invitation says. */
  fingerprint: z
    .string()
    .regex(/^sha256:[0-9A-Fa-f:]+$/, 'must be sha256:…')
    .optional(),
  /** The name at the hub; absent: the first free `worker-N` of the state folder. */
  name: z.string().optional(),
  slots: z.coerce.number().int().min(1).max(64).default(1),
  labels: list.default([]),
  /** The state folder of the repository (or of this worker, where there is no repository). */
  state: z.string().optional(),
  /** A folder inside the repository; absent: the current one. */
  repository: z.string().optional(),
  /** `off`: commands run without isolation, and reports say so. */
  sandbox: z.enum(['auto', 'off']).default('auto'),
  /** Ends when the hub was not reached for so long; absent: tries for ever. */
  giveUpMs: z.coerce.number().int().min(1000).optional(),
  drainMs: z.coerce.number().int().min(0).default(limits.drainMs),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  /** Log lines on standard output, beside the file. */
  logStdout: flag.default(true),
});

/** Everything the worker knows of its surroundings. */
export interface WorkerConfig extends z.output<typeof configSchema> {
  /** By environment only: command lines can be read by others. */
  readonly token: string | undefined;
  /** Passed on to set-ups that may use the network: registries and proxies. */
  readonly networkEnv: Readonly<Record<string, string>>;
  readonly searchPath: string | undefined;
  /** All of it, for the place of the state folder. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

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
    networkEnv: networkEnv(env),
    searchPath: env['PATH'],
    env,
  };
}

const passedOn =
  /^(https?_proxy|no_proxy|all_proxy|npm_config_registry|npm_config_cafile|node_extra_ca_certs|pip_index_url)$/i;

function networkEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => passedOn.test(entry[0]) && entry[1] !== undefined,
  );
  const registry = registryOf(join(env['HOME'] ?? homedir(), '.npmrc'));
  return { ...(registry !== undefined && { npm_config_registry: registry }), ...Object.fromEntries(kept) };
}

/** The user's package registry; nothing else of the file, since it may hold tokens. */
function registryOf(npmrc: string): string | undefined {
  try {
    return /^\s*registry\s*=\s*["']?([^\s"']+)/m.exec(readFileSync(npmrc, 'utf8'))?.[1];
  } catch {
    // Most users have none.
    return undefined;
  }
}
