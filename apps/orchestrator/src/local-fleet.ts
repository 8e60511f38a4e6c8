import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { limits } from '@switchyard/protocol';
import type { Clock, Logger, StateFolder } from '@switchyard/runtime';
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
      argv: [process.execPath, '--import', tsxLoader(), daemonEntry(role), ...flags],
      env: instanceEnvironment(env),
    }),
    ended,
  });
}

function tsxLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}

function daemonEntry(role: 'worker' | 'reviewer'): string {
  return fileURLToPath(new URL(`../../${role}/src/main.ts`, import.meta.url));
}

/** What a local instance needs of our environment; its configuration comes by flags, its token from the state folder. */
function instanceEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('SWITCHYARD_'));
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
