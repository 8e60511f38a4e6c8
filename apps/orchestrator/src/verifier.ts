import { join } from 'node:path';
import { isPassed } from '@switchyard/protocol';
import type { Layer, Layers, ReceiptSandbox } from '@switchyard/receipts';
import { takeReceipts } from '@switchyard/receipts';
import type { RunRepository } from '@switchyard/repo';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Verifier } from './ports.ts';

type Asked = Parameters<Verifier['verify']>[0];

interface VerifierOptions {
  readonly repository: Pick<RunRepository, 'checkout'>;
  readonly layers: Pick<Layers, 'onTrial'>;
  readonly sandbox: ReceiptSandbox;
  /** Where disposable checkouts are made. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Takes secrets out of what a command printed: journal, report and case file keep it for ever. */
  readonly redact: (text: string) => string;
}

/** Runs a plan's verification in the sandbox, on a fresh checkout of the merged commit that is thrown away. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { repository, layers, sandbox, clock, logger } = options;
  const checkout = (commit: Parameters<RunRepository['checkout']>[0], folder: string) =>
    repository.checkout(commit, folder);
  const receiptsOf = ({ commit, plan, include, signal }: Asked, layer: Layer | undefined) =>
    takeReceipts({
      commit,
      checkout,
      folder: join(options.folder, `verify-${options.random.token(8)}`),
      commands: plan.verify.run.map((command) => ({ criterion: command, command })),
      layer,
      include,
      scratch: plan.scratch,
      sandbox,
      timeoutMs: plan.verify.timeoutMs,
      env: {},
      clock,
      signal,
    });
  return {
    async verify(asked) {
      const { setup, verify } = asked.plan;
      if (verify.run.length === 0) return { passed: true, receipts: [] };
      const trial = setup === undefined ? undefined : await layers.onTrial({ ...asked, setup, checkout });
      let passed = false;
      try {
        const taken = await receiptsOf(asked, trial?.layer);
        const receipts = taken.map((one) => ({ ...one, outputTail: options.redact(one.outputTail) }));
        passed = receipts.every(isPassed);
        logger.info({ commit: asked.commit, passed, commands: receipts.length }, 'merged result verified');
        return { passed, receipts };
      } finally {
        await trial?.end(passed);
      }
    },
  };
}
