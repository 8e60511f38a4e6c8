import { resolve } from 'node:path';
import { limits } from '@switchyard/protocol';
import { ownProcess, type Clock, type Logger, type StateFolder } from '@switchyard/runtime';
import type { OrchestratorConfig } from './config.ts';
import { InstanceManager, type InstanceOptions } from './instances.ts';

interface LocalFleetOptions {
  readonly config: OrchestratorConfig;
  readonly env: NodeJS.ProcessEnv;
  readonly workTree: string;
  readonly folder: StateFolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ended: InstanceOptions['ended'];
}

/** The instance manager that starts the real daemons of this checkout. */
export function openLocalFleet(options: LocalFleetOptions): InstanceManager {
  const { config, env, workTree, folder, clock, logger, ended } = options;
  const flags = [
    ['--repository', workTree],
    ['--state', folder.root],
    ['--sandbox', config.sandbox],
    ['--log-level', config.logLevel],
    ['--log-stdout', 'false'],
    ['--give-up-ms', '60000'],
  ].flat();
  return new InstanceManager({
    clock,
    logger,
    workers: { min: config.workersMin, max: Math.max(config.workersMin, config.workersMax) },
    reviewers: { min: config.reviewersMin, max: Math.max(config.reviewersMin, config.reviewersMax) },
    idleStopMs: config.idleStopMs,
    spawnTimeoutMs: config.spawnTimeoutMs,
    stopTimeoutMs: limits.drainMs,
    command: (role) => ({
      argv: [
        process.execPath,
        ...daemonWords(role),
        ...flags,
        ...(role === 'worker' ? workerFlags(config) : reviewerFlags(config)),
      ],
      env: instanceEnvironment(env),
    }),
    ended,
  });
}

/** What local workers alone are told; paths are taken from where this daemon was started. */
function workerFlags({ agents, agentFolders, mcpServers, models }: OrchestratorConfig): string[] {
  return [
    ...(models === undefined ? [] : ['--models', resolve(models)]),
    ...(agents === undefined ? [] : ['--agents', resolve(agents)]),
    ...(mcpServers === undefined ? [] : ['--mcp-servers', resolve(mcpServers)]),
    ...(agentFolders === undefined ? [] : ['--agent-folders', agentFolders]),
  ];
}

/** What local reviewers alone are told. */
function reviewerFlags({ reviewModel }: OrchestratorConfig): string[] {
  return reviewModel === undefined ? [] : ['--review-model', reviewModel];
}

function daemonWords(role: 'worker' | 'reviewer'): string[] {
  const { execArgv, entry } = ownProcess(new URL(`../../${role}/src/main.ts`, import.meta.url));
  return [...execArgv, entry];
}

/** What a local instance needs of our environment; its configuration comes by flags, its token from the state folder. */
function instanceEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('SWITCHYARD_'));
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
