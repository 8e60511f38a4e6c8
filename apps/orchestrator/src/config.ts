import { limits } from '@switchyard/protocol';
import { z } from 'zod';

const flag = z.union([z.boolean(), z.enum(['true', 'false', '']).transform((text) => text !== 'false')]);
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/**
 * What the orchestrator daemon can be told, by flag, environment (`SWITCHYARD_…`) or `switchyard.json`; `--help`
 * prints the descriptions.
 */
export const configSchema = z.object({
  repository: z.string().default('.').describe('a folder inside the repository to serve'),
  state: z.string().optional().describe('state folder of the repository (default: in your own state folder)'),
  host: z.string().default('127.0.0.1').describe('address to listen on; anything but the loopback needs TLS'),
  port: count(0, 65_535)
    .optional()
    .describe('port to listen on (default: 7420, or a free one if that is taken)'),
  tlsHosts: z
    .string()
    .optional()
    .describe('host names and addresses for the certificate, comma separated; turns TLS on'),
  ephemeral: flag.default(false).describe('end when all runs have ended and nobody is connected'),
  workersMin: count(0, limits.localWorkersMax).default(0).describe('local workers kept even when idle'),
  workersMax: count(0, limits.localWorkersMax)
    .default(limits.localWorkers)
    .describe('the most local workers that are started on demand'),
  reviewersMin: count(0, limits.localWorkersMax).default(0).describe('local reviewers kept even when idle'),
  reviewersMax: count(0, limits.localWorkersMax)
    .default(1)
    .describe('the most local reviewers that are started on demand'),
  idleStopMs: count(0, 86_400_000)
    .default(60_000)
    .describe('how long a worker that was started on demand may be idle'),
  leaseGraceMs: count(0, 3_600_000)
    .default(limits.leaseGraceMs)
    .describe('how long a worker may be out of contact before its attempt goes to another'),
  heartbeatIntervalMs: count(50, 60_000)
    .default(limits.heartbeatIntervalMs)
    .describe('time between two heartbeats'),
  spawnTimeoutMs: count(100, 600_000)
    .default(limits.spawnTimeoutMs)
    .describe('how long a local worker may take to start'),
  sandbox: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('off: commands run without isolation, and reports say so'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least level to log'),
  logStdout: flag.default(true).describe('log on standard output, beside the file'),
});
export type OrchestratorConfig = z.infer<typeof configSchema>;
