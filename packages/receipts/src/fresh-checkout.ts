import { lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, type CommitId } from '@switchyard/protocol';
import { makeFolder } from '@switchyard/runtime';
import type { ReceiptSandbox } from './receipt-sandbox.ts';
import { walkTree } from './tree-walk.ts';

/** Puts the files of a commit into a new folder. */
export type Checkout = (commit: CommitId, folder: string) => Promise<void>;

export interface FreshCheckoutRequest {
  readonly checkout: Checkout;
  readonly folder: string;
  readonly commit: CommitId;
  /** A commit with the plan's untracked files that belong beside it. */
  readonly include?: CommitId | undefined;
  readonly sandbox: ReceiptSandbox;
}

/** A fresh disposable checkout of a commit, with the plan's untracked files where the commit has none. */
export async function freshCheckout(request: FreshCheckoutRequest): Promise<void> {
  const { checkout, folder, commit, include } = request;
  await makeFolder(dirname(folder));
  await checkout(commit, folder);
  if (include === undefined) return;
  const extra = `${folder}.include`;
  try {
    await checkout(include, extra);
    for (const { path, entry } of walkTree(extra, () => true)) {
      const isTaken = lstatSync(join(folder, path), { throwIfNoEntry: false }) !== undefined;
      if (isTaken && !entry.isDirectory()) await rm(join(extra, path));
    }
    await copyOver(extra, folder, request.sandbox);
  } finally {
    await rm(extra, { recursive: true, force: true });
  }
}

/** In the sandbox, since a link that the commit holds must not lead the copy out of the checkout. */
async function copyOver(from: string, to: string, sandbox: ReceiptSandbox): Promise<void> {
  const copied = await sandbox.run({
    argv: ['cp', '-a', '-T', from, to],
    cwd: to,
    mounts: [
      { kind: 'read', source: from },
      { kind: 'write', source: to },
    ],
    env: {},
    network: 'none',
    timeoutMs: 60_000,
  });
  if (copied.exitCode === 0) return;
  throw new AppError('E_SANDBOX', `the included files could not be copied: ${copied.output.slice(-500)}`);
}
