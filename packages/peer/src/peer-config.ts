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

/** What every daemon that attaches to a hub can be told, by flag or environment (`SWITCHYARD_…`). */
export const peerConfigShape = {
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
  /** The name at the hub; absent: the first free `<role>-N` of the state folder. */
  name: z.string().optional(),
  /** The state folder of the repository (or of this daemon, where there is no repository). */
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
