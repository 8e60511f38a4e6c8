import { limits } from '@switchyard/protocol';
import { z } from 'zod';

const flag = z.union([z.boolean(), z.enum(['true', 'false', '']).transform((text) => text !== 'false')]);
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** What the orchestrator daemon can be told, by flag, environment (`SWITCHYARD_…`) or `switchyard.json`. */
export const configSchema = z.object({
  /** A folder inside the repository to serve. */
  repository: z.string().default('.'),
  /** The user's state folder; default as DESIGN.md section 4 says. */
  state: z.string().optional(),
  host: z.string().default('127.0.0.1'),
  /** Absent: 7420, or a free one where that is taken. */
  port: count(0, 65_535).optional(),
  /** Host names and addresses for the certificate, comma separated; turns TLS on. */
  tlsHosts: z.string().optional(),
  /** Ends when its runs have ended and nobody is connected. */
  ephemeral: flag.default(false),
  /** Local workers kept even when idle, and the most that are started on demand. */
  workersMin: count(0, limits.localWorkersMax).default(0),
  workersMax: count(0, limits.localWorkersMax).default(limits.localWorkers),
  reviewersMin: count(0, limits.localWorkersMax).default(0),
  reviewersMax: count(0, limits.localWorkersMax).default(1),
  /** How long a worker that was started on demand may be idle. */
  idleStopMs: count(0, 86_400_000).default(60_000),
  leaseGraceMs: count(0, 3_600_000).default(limits.leaseGraceMs),
  heartbeatIntervalMs: count(50, 60_000).default(limits.heartbeatIntervalMs),
  spawnTimeoutMs: count(100, 600_000).default(limits.spawnTimeoutMs),
  /** `off`: commands run without isolation, and reports say so. */
  sandbox: z.enum(['auto', 'off']).default('auto'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  /** Log lines on standard output, beside the file. */
  logStdout: flag.default(true),
});
export type OrchestratorConfig = z.infer<typeof configSchema>;
