import { limits, type CommitId, type Receipt } from '@switchyard/protocol';
import { removeTree, type Clock } from '@switchyard/runtime';
import { freshCheckout, type Checkout } from './fresh-checkout.ts';
import { copyLayer, layerMounts, type Layer } from './layer-mounts.ts';
import type { ReceiptSandbox } from './receipt-sandbox.ts';

export interface ReceiptsRequest {
  readonly commit: CommitId;
  readonly checkout: Checkout;
  /** Where the disposable checkout is made; removed afterwards. */
  readonly folder: string;
  readonly commands: readonly {
    /** The criterion as the plan states it. */
    readonly criterion: string;
    /** One line for `sh`. */
    readonly command: string;
  }[];
  readonly layer: Layer | undefined;
  readonly include: CommitId | undefined;
  /** The plan's scratch paths; the checkout is writable anyway, so they matter inside the layer only. */
  readonly scratch: readonly string[];
  readonly sandbox: ReceiptSandbox;
  /** For all commands together. */
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onCommand?: (command: string) => void;
}

/**
 * Proof by doing: runs every command on a fresh checkout of the commit that is thrown away, also after one failed,
 * so that the receipts tell all at once. Rejects with the signal's reason, or with AppError of checkout and sandbox.
 */
export async function takeReceipts(request: ReceiptsRequest): Promise<Receipt[]> {
  const { folder, layer, sandbox, signal } = request;
  if (request.commands.length === 0) return [];
  try {
    await freshCheckout(request);
    if (layer !== undefined && sandbox.tier === 'none') await copyLayer(layer, folder);
    const receipts: Receipt[] = [];
    let leftMs = request.timeoutMs;
    for (const entry of request.commands) {
      signal.throwIfAborted();
      request.onCommand?.(entry.command);
      const receipt = await runOne(entry, request, Math.max(1, leftMs));
      signal.throwIfAborted();
      leftMs -= receipt.durationMs;
      receipts.push(receipt);
    }
    return receipts;
  } finally {
    await removeTree(folder);
  }
}

async function runOne(
  entry: ReceiptsRequest['commands'][number],
  request: ReceiptsRequest,
  timeoutMs: number,
): Promise<Receipt> {
  const { commit, folder, layer, sandbox, clock, signal } = request;
  const startedAt = clock.now();
  const mounted =
    layer === undefined || sandbox.tier === 'none' ? [] : layerMounts(layer, folder, request.scratch);
  const result = await sandbox.run({
    argv: ['sh', '-c', entry.command],
    cwd: folder,
    mounts: [{ kind: 'write', source: folder }, ...mounted],
    env: { CI: '1', ...request.env },
    network: 'none',
    timeoutMs,
    signal,
  });
  const outputTail = result.output.slice(-limits.receiptOutputBytes);
  return {
    criterion: entry.criterion.slice(0, 4000),
    command: entry.command,
    commit,
    exitCode: result.exitCode,
    ended: result.ended,
    durationMs: Math.round(result.durationMs),
    startedAt,
    outputTail,
    truncated: result.truncated || outputTail.length < result.output.length,
  };
}
