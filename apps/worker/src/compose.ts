import { hostname } from 'node:os';
import { commandExecutor } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import {
  attach,
  perAddress,
  sandboxedGit,
  startOn,
  type Attachment,
  type RunningDaemon,
} from '@switchyard/peer';
import { openLayers } from '@switchyard/receipts';
import { discoverRepository, openObjectCache } from '@switchyard/repo';
import { programVersion, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink } from '@switchyard/transport';
import type { WorkerConfig } from './config.ts';
import { WorkerDaemon } from './daemon.ts';

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(config: WorkerConfig): Promise<RunningDaemon> {
  const attachment = await attach(config, { role: 'worker', discover: discoverRepository });
  return startOn(attachment, (on) => start(config, on));
}

async function start(config: WorkerConfig, attachment: Attachment): Promise<WorkerDaemon> {
  const { folder, state, logger, shutdown, locate, token } = attachment;
  const { slots, networkEnv } = config;
  const clock = systemClock;
  const random = systemRandom;
  const sandbox = await openSandbox({
    mode: config.sandbox,
    logger,
    clock,
    ...(config.searchPath !== undefined && { searchPath: config.searchPath }),
  });
  shutdown.add('sandbox', () => sandbox.close());
  const outbox = openOutbox({ file: folder.outboxFile, logger });
  shutdown.add('outbox', () => outbox.close());
  const daemon = new WorkerDaemon({
    ...attachment.ends,
    self: folder.peer,
    version: programVersion,
    host: hostname(),
    pid: process.pid,
    labels: labelsOf(config, sandbox),
    slots,
    clock,
    random,
    logger,
    sandbox,
    executors: [commandExecutor],
    outbox,
    objects: perAddress(locate, ({ fingerprint }) =>
      openObjectCache({
        folder: folder.objects,
        url: () => `${locate().httpUrl}/git`,
        token,
        ...(fingerprint !== undefined && { fingerprint }),
        logger,
        sandbox: sandboxedGit(sandbox),
      }),
    ),
    layers: openLayers({ folder: state.layers, sandbox, clock, logger, networkEnv }),
    attempts: folder.work,
    link: (options) =>
      createLink({ self: folder.peer, dial: attachment.dial, clock, random, logger, outbox, ...options }),
    abortMs: Math.max(500, config.drainMs - 1_500),
    ...(config.giveUpMs !== undefined && { giveUpMs: config.giveUpMs }),
  });
  shutdown.add('attempts', () => daemon.drain('it was asked to stop'));
  await daemon.start();
  logger.info({ state: state.root, sandbox: sandbox.tier, slots }, 'worker ready');
  return daemon;
}

function labelsOf(config: WorkerConfig, sandbox: Sandbox): string[] {
  const own = [
    `os:${process.platform}`,
    `arch:${process.arch}`,
    'executor:command',
    `sandbox:${sandbox.tier}`,
    `host:${hostname()}`,
  ];
  return [...new Set([...own, ...config.labels])].slice(0, 100).map((label) => label.slice(0, 100));
}
