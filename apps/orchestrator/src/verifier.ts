import { join } from 'node:path';
import { isPassed } from '@switchyard/protocol';
import type { Layers, ReceiptSandbox } from '@switchyard/receipts';
import { takeReceipts } from '@switchyard/receipts';
import type { RunRepository } from '@switchyard/repo';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Verifier } from './ports.ts';

interface VerifierOptions {
  readonly repository: RunRepository;
  readonly layers: Layers;
  readonly sandbox: ReceiptSandbox;
  /** Where disposable checkouts are made. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Runs a plan's verification in the sandbox, on a fresh checkout of the merged commit that is thrown away. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { repository, layers, sandbox, clock, logger } = options;
  const checkout = (commit: Parameters<RunRepository['checkout']>[0], folder: string) =>
    repository.checkout(commit, folder);
  return {
    async verify({ commit, plan, include, signal }) {
      const { setup, scratch, verify } = plan;
      if (verify.run.length === 0) return { passed: true, receipts: [] };
      const layer =
        setup === undefined ? undefined : await layers.ensure({ setup, commit, checkout, signal });
      const receipts = await takeReceipts({
        commit,
        checkout,
        folder: join(options.folder, `verify-${options.random.token(8)}`),
        commands: verify.run.map((command) => ({ criterion: command, command })),
        layer,
        include,
        scratch,
        sandbox,
        timeoutMs: verify.timeoutMs,
        env: {},
        clock,
        signal,
      });
      const passed = receipts.every(isPassed);
      logger.info({ commit, passed, commands: receipts.length }, 'merged result verified');
      return { passed, receipts };
    },
  };
}
