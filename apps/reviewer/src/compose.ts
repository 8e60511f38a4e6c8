import { hostname } from 'node:os';
import { engineReadPaths, sandboxedScan, staticEngines } from '@switchyard/analyzers';
import { openSandbox } from '@switchyard/guard';
import {
  attach,
  perAddress,
  sandboxedGit,
  startOn,
  type Attachment,
  type RunningDaemon,
} from '@switchyard/peer';
import { discoverRepository, openObjectCache } from '@switchyard/repo';
import { programVersion, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink } from '@switchyard/transport';
import type { ReviewerConfig } from './config.ts';
import { ReviewerDaemon } from './daemon.ts';
import { openModelReviewer } from './model-reviewer.ts';
import { onThisMachine } from './review-room.ts';

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(config: ReviewerConfig): Promise<RunningDaemon> {
  const attachment = await attach(config, { role: 'reviewer', discover: discoverRepository });
  return startOn(attachment, (on) => start(config, on));
}

async function start(config: ReviewerConfig, attachment: Attachment): Promise<ReviewerDaemon> {
  const { folder, logger, shutdown, locate, token, dial, heartbeats } = attachment;
  const { specializations, slots } = config;
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
  const engines = staticEngines({ start: sandboxedScan(sandbox) });
  for (const engine of engines) shutdown.add(`engine ${engine.name}`, () => engine.close());
  const { reviewModel: model, models: file, env } = config;
  const modelReviewer =
    model === undefined ? undefined : openModelReviewer({ model, file, env, sandbox, clock, random, logger });
  if (modelReviewer !== undefined) shutdown.add('model reviewer', () => modelReviewer.close());
  const daemon = new ReviewerDaemon(
    onThisMachine({
      ...attachment.ends,
      self: folder.peer,
      version: programVersion,
      host: hostname(),
      pid: process.pid,
      specializations,
      slots,
      clock,
      random,
      logger,
      sandbox,
      outbox,
      engines,
      engineReadPaths: engineReadPaths(),
      ...(modelReviewer !== undefined && { modelReviewer }),
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
      checkouts: folder.work,
      link: (options) =>
        createLink({ self: folder.peer, dial, heartbeats, clock, random, logger, outbox, ...options }),
      finishMs: Math.max(0, config.drainMs - 2_000),
      acknowledgeMs: 3_000,
      ...(config.giveUpMs !== undefined && { giveUpMs: config.giveUpMs }),
    }),
  );
  shutdown.add('reviews', () => daemon.drain('it was asked to stop'));
  await daemon.start();
  const { root } = attachment.state;
  logger.info({ state: root, sandbox: sandbox.tier, specializations, slots }, 'reviewer ready');
  return daemon;
}
