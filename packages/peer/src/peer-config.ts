import { limits } from '@switchyard/protocol';
import { z } from 'zod';

const flag = z.union([z.boolean(), z.enum(['true', 'false', '']).transform((text) => text !== 'false')]);

/** A list in one flag, separated by commas. */
export const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

/**
 * What every daemon that attaches to a hub can be told, by flag or environment (`SWITCHYARD_…`); `--help` prints the
 * descriptions.
 */
export const peerConfigShape = {
  hub: z
    .string()
    .regex(/^wss?:\/\//, 'must begin with ws:// or wss://')
    .optional()
    .describe('address of the hub (default: the orchestrator of the repository)'),
  tokenFile: z.string().optional().describe('a file that holds the token (environment: SWITCHYARD_TOKEN)'),
  fingerprint: z
    .string()
    .regex(/^sha256:[0-9A-Fa-f:]+$/, 'must be sha256:…')
    .optional()
    .describe("the certificate's fingerprint, as the invitation says"),
  name: z.string().optional().describe('the name at the hub (default: the first free <role>-N)'),
  state: z
    .string()
    .optional()
    .describe('state folder of the repository, or of this daemon where there is no repository'),
  repository: z.string().optional().describe('a folder inside the repository (default: the current one)'),
  sandbox: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('off: commands run without isolation, and reports say so'),
  giveUpMs: z.coerce
    .number()
    .int()
    .min(1000)
    .optional()
    .describe('end when the hub was not reached for so long (default: try for ever)'),
  drainMs: z.coerce
    .number()
    .int()
    .min(0)
    .default(limits.drainMs)
    .describe('how long the end may take once it is asked for'),
  endWithInput: flag
    .default(false)
    .describe('end when standard input is closed: who started this daemon is gone'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least level to log'),
  logStdout: flag.default(true).describe('log on standard output, beside the file'),
};
const peerConfig = z.object(peerConfigShape);

/** Everything a daemon that attaches to a hub knows of its surroundings. */
export interface PeerConfig extends z.output<typeof peerConfig> {
  /** By environment only: command lines can be read by others. */
  readonly token: string | undefined;
  readonly searchPath: string | undefined;
  /** All of it, for the place of the state folder. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
