import { upstreamProxyOf, type Clock, type Logger, type Random } from '@switchyard/runtime';
import { BudgetPermits } from './budget-permits.ts';
import { PriceBook } from './cost.ts';
import { Gateway } from './gateway.ts';
import { Ledger } from './ledger.ts';
import { keysOf, providersOf, readModelsFile } from './models-file.ts';
import { PermitClient } from './permit-client.ts';

export interface OpenGatewayOptions {
  /** The models file, if the operator named one. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A gateway whose requests go by the permits of the orchestrator. */
export interface OpenGateway {
  readonly gateway: Gateway;
  readonly permits: PermitClient;
  readonly ledger: Ledger;
  /** The providers' keys, which no transcript may hold. */
  readonly secrets: readonly string[];
}

/** Reads what the operator says of models; nothing is opened before somebody needs it. Throws AppError E_CONFIG. */
export function openGateway({ file, env, clock, random, logger }: OpenGatewayOptions): OpenGateway {
  const models = readModelsFile(file);
  const providers = providersOf(models, env);
  const prices = new PriceBook(models.prices);
  const ledger = new Ledger();
  const permits = new PermitClient({ clock, random, ledger });
  const proxy = upstreamProxyOf(env);
  const gateway = new Gateway({ providers, prices, permits, ledger, clock, random, logger, proxy });
  return { gateway, permits, ledger, secrets: keysOf(providers) };
}

/** A gateway of a process that works for no orchestrator. */
export interface BudgetGateway extends Pick<OpenGateway, 'gateway'> {
  readonly permits: Pick<BudgetPermits, 'spentMicroUsd' | 'refusal'>;
}

/** The same within a budget of its own, in dollars, where there is no orchestrator to ask. Throws AppError E_CONFIG. */
export function openBudgetGateway(
  { file, env, clock, random, logger }: OpenGatewayOptions,
  budgetUsd: number,
): BudgetGateway {
  const models = readModelsFile(file);
  const ledger = new Ledger();
  const permits = new BudgetPermits({ clock, ledger, budgetUsd, providers: models.providers });
  const prices = new PriceBook(models.prices);
  const providers = providersOf(models, env);
  const proxy = upstreamProxyOf(env);
  const gateway = new Gateway({ providers, prices, permits, ledger, clock, random, logger, proxy });
  return { gateway, permits };
}
