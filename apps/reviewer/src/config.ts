import { commaList, peerConfigShape, type PeerConfig } from '@switchyard/peer';
import { specialization, specializations } from '@switchyard/protocol';
import { loadConfig, readFlags } from '@switchyard/runtime';
import { z } from 'zod';

/** What a reviewer can be told, by flag or environment (`SWITCHYARD_…`). */
export const configSchema = z.object({
  ...peerConfigShape,
  slots: z.coerce.number().int().min(1).max(64).default(2).describe('reviews at once'),
  specializations: commaList
    .transform((names) => [...new Set(names)])
    .pipe(z.array(specialization, `may be any of ${specializations.join(', ')}`).min(1))
    .default([...specializations])
    .describe('what it reviews for, comma separated (default: all)'),
  reviewModel: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('a model that reviews beside the static engines (default: none does)'),
  models: z
    .string()
    .min(1)
    .optional()
    .describe('a JSON file with the providers of models, their keys, quotas and prices'),
});

/** Everything the reviewer knows of its surroundings. */
export type ReviewerConfig = z.output<typeof configSchema> & PeerConfig;

/** Reads flags and environment once. Throws AppError E_USAGE, E_CONFIG. */
export function readConfig(
  argv: readonly string[] = process.argv.slice(2),
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReviewerConfig {
  // SWITCHYARD_STATE names the root of all state folders, not the one of this repository.
  const sources = { flags: readFlags(argv, configSchema), env: { ...env, SWITCHYARD_STATE: undefined } };
  return {
    ...loadConfig(configSchema, sources),
    token: env['SWITCHYARD_TOKEN'] || undefined,
    searchPath: env['PATH'],
    env,
  };
}
