import { hostname } from 'node:os';
import { commandExecutor, createLlmExecutor, type Executor } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import {
  attach,
  perAddress,
  sandboxedGit,
  startOn,
  type Attachment,
  type RunningDaemon,
} from '@switchyard/peer';
import { openLayers, operatorRegistries } from '@switchyard/receipts';
import { discoverRepository, openObjectCache } from '@switchyard/repo';
import { programVersion, secretsOf, systemClock, systemRandom, upstreamProxyOf } from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink } from '@switchyard/transport';
import { agentExecutors } from './agent-executors.ts';
import type { WorkerConfig } from './config.ts';
import { WorkerDaemon } from './daemon.ts';
import { openModels } from './models.ts';
import { roomodesOf } from './roomodes-of.ts';
import { onThisMachine } from './workshop.ts';

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(config: WorkerConfig): Promise<RunningDaemon> {
  const attachment = await attach(config, { role: 'worker', discover: discoverRepository });
  return startOn(attachment, (on) => start(config, on));
}

async function start(config: WorkerConfig, attachment: Attachment): Promise<WorkerDaemon> {
  const { folder, state, logger, shutdown, locate, token, dial, heartbeats } = attachment;
  const clock = systemClock;
  const random = systemRandom;
  const sandbox = await openSandbox({
    mode: config.sandbox,
    logger,
    clock,
    upstreamProxy: upstreamProxyOf(config.env),
    ...(config.searchPath !== undefined && { searchPath: config.searchPath }),
  });
  shutdown.add('sandbox', () => sandbox.close());
  const outbox = openOutbox({ file: folder.outboxFile, logger });
  shutdown.add('outbox', () => outbox.close());
  const registries = operatorRegistries(config.env);
  const models = openModels({ file: config.models, env: config.env, sandbox, clock, random, logger });
  shutdown.add('models', () => models.close());
  const objects = perAddress(locate, ({ fingerprint }) =>
    openObjectCache({
      folder: folder.objects,
      url: () => `${locate().httpUrl}/git`,
      token,
      ...(fingerprint !== undefined && { fingerprint }),
      logger,
      sandbox: sandboxedGit(sandbox),
    }),
  );
  const readRoomodes = roomodesOf(objects);
  const agents = agentExecutors(config, { clock, readRoomodes });
  const executors = [commandExecutor, loopExecutor(readRoomodes), ...agents.executors];
  const { networkEnv, slots } = config;
  const layers = openLayers({ folder: state.layers, sandbox, clock, logger, networkEnv, registries });
  const daemon = new WorkerDaemon(
    onThisMachine({
      ...attachment.ends,
      self: folder.peer,
      version: programVersion,
      host: hostname(),
      pid: process.pid,
      labels: labelsOf(config, { sandbox, agents: agents.labels }),
      slots,
      clock,
      random,
      logger,
      sandbox,
      executors,
      outbox,
      objects,
      layers,
      attempts: folder.work,
      transcripts: folder.transcripts,
      secrets: [...secretsOf(config.env), ...models.secrets, ...agents.secrets],
      openModel: models.openModel,
      models: models.talk,
      mcpLaunch: agents.mcpLaunch,
      names: agents.names,
      wipIntervalMs: config.wipIntervalMs,
      link: (options) =>
        createLink({ self: folder.peer, dial, heartbeats, clock, random, logger, outbox, ...options }),
      abortMs: Math.max(500, config.drainMs - 1_500),
      ...(config.giveUpMs !== undefined && { giveUpMs: config.giveUpMs }),
    }),
  );
  shutdown.add('attempts', () => daemon.drain('it was asked to stop'));
  await daemon.start();
  logger.info({ state: state.root, sandbox: sandbox.tier, slots }, 'worker ready');
  return daemon;
}

/** Our own loop, in this process. */
function loopExecutor(readRoomodes: ReturnType<typeof roomodesOf>): Executor {
  return createLlmExecutor({
    clock: systemClock,
    random: systemRandom,
    readRoomodes,
    mcp: (_task, context) => Promise.resolve(context.mcp),
  });
}

function labelsOf(
  config: WorkerConfig,
  { sandbox, agents }: { readonly sandbox: Sandbox; readonly agents: readonly string[] },
): string[] {
  const own = [
    `os:${process.platform}`,
    `arch:${process.arch}`,
    'executor:command',
    ...agents,
    'executor:llm',
    `sandbox:${sandbox.tier}`,
    `host:${hostname()}`,
  ];
  return [...new Set([...own, ...config.labels])].slice(0, 100).map((label) => label.slice(0, 100));
}
