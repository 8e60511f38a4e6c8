import { openGateway, type OpenGatewayOptions } from '@switchyard/agents';
import type { AttemptPorts, ModelTalk } from './ports.ts';

interface ModelsOptions extends OpenGatewayOptions {
  readonly sandbox: { readonly tier: 'bubblewrap' | 'none' };
}

/** The models of this worker's attempts, as its other parts need them. */
export interface WorkerModels {
  readonly talk: ModelTalk;
  readonly openModel: NonNullable<AttemptPorts['openModel']>;
  /** The providers' keys, which no transcript may hold. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

/** Reads what the operator says of models; nothing is opened before an attempt needs it. Throws AppError E_CONFIG. */
export function openModels(options: ModelsOptions): WorkerModels {
  const { sandbox } = options;
  const { gateway, permits, ledger, secrets } = openGateway(options);
  return {
    talk: {
      attach: (wire) => permits.attach(wire),
      connected: () => permits.connected(),
      granted: (grant) => permits.granted(grant),
      usageOf: (attempt) => ledger.of(attempt),
      heldMs: (attempt) => permits.heldMs(attempt),
      forget: (attempt) => {
        ledger.forget(attempt);
        permits.forget(attempt);
      },
    },
    secrets,
    openModel: ({ run, taskId, attempt, fence, executor }, context) =>
      gateway.open(
        { run, taskId, attempt, fence },
        // Our own loop runs in this process; agents run in their sandbox, if there is one.
        { ...context, isInside: sandbox.tier !== 'none' && executor.kind !== 'llm' },
      ),
    close: () => gateway.close(),
  };
}
