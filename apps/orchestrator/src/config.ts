import { limits } from '@switchyard/protocol';
import { z } from 'zod';

const flag = z.union([z.boolean(), z.enum(['true', 'false', '']).transform((text) => text !== 'false')]);
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const orchestratorShape = z.object({
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
  looking: flag
    .default(false)
    .describe('with --ephemeral: for one look or order; who wants a run to be worked on waits for its end'),
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
  leaseMs: count(100, 3_600_000)
    .optional()
    .describe(
      `time without a heartbeat until a worker is unverifiable; at least two heartbeats (default: ${limits.unverifiableAfterMs}, or three heartbeats if that is more)`,
    ),
  leaseGraceMs: count(0, 3_600_000)
    .default(limits.leaseGraceMs)
    .describe('time from unverifiable until a worker counts as dead and its attempts go to others'),
  hungMs: count(1_000, 86_400_000)
    .default(limits.hungAfterMs)
    .describe(
      'how long the main loop of a worker may stand still while its process lives; then it is out of contact',
    ),
  deadShownMs: count(0, 30 * 86_400_000)
    .default(limits.deadShownMs)
    .describe(
      `how long a dead worker or reviewer is shown by \`switchyard workers\`; at most ${limits.deadPeersShown} are`,
    ),
  heartbeatIntervalMs: count(50, 60_000)
    .default(limits.heartbeatIntervalMs)
    .describe('time between two heartbeats'),
  spawnTimeoutMs: count(100, 600_000)
    .default(limits.spawnTimeoutMs)
    .describe('how long a local worker may take to start'),
  models: z
    .string()
    .optional()
    .describe('a JSON file with the providers of models, their keys, quotas and prices'),
  reviewModel: z
    .string()
    .optional()
    .describe('a model that reviews beside the static engines, for local reviewers'),
  sandbox: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('off: commands run without isolation, and reports say so'),
  agents: z.string().optional().describe('a JSON file that describes agents, for local workers'),
  agentFolders: z
    .string()
    .optional()
    .describe('folders that agents are installed in, separated as in PATH, for local workers'),
  mcpServers: z.string().optional().describe('a JSON file with MCP servers for tasks, for local workers'),
  endWithInput: flag
    .default(false)
    .describe('end when standard input is closed: who started this daemon is gone'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('least level to log'),
  logStdout: flag.default(true).describe('log on standard output, beside the file'),
});
/**
 * What the orchestrator daemon can be told, by flag, environment (`SWITCHYARD_…`) or `switchyard.json`; `--help`
 * prints the descriptions.
 */
export const configSchema = orchestratorShape.superRefine(({ leaseMs, heartbeatIntervalMs }, context) => {
  if (leaseMs === undefined || leaseMs >= 2 * heartbeatIntervalMs) return;
  const message = `${leaseMs} ms is less than two heartbeats (${heartbeatIntervalMs} ms each), so that one late heartbeat would end the contact; raise it to ${2 * heartbeatIntervalMs} or more, or shorten --heartbeat-interval-ms`;
  context.addIssue({ code: 'custom', path: ['leaseMs'], message });
});
export type OrchestratorConfig = z.infer<typeof configSchema>;

/** Time without a heartbeat until a peer is unverifiable, in milliseconds: as told, else what suits the heartbeats. */
export function leaseMsOf(config: Pick<OrchestratorConfig, 'leaseMs' | 'heartbeatIntervalMs'>): number {
  return config.leaseMs ?? Math.max(limits.unverifiableAfterMs, 3 * config.heartbeatIntervalMs);
}
