import type { CommitId } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import { entry, run, type Content, type UserCheckout } from './user-checkout.ts';

/** What a user has whose run is applied. */
export interface Ready {
  readonly repository: RunRepository;
  readonly base: CommitId;
  readonly tip: CommitId;
}

/** A run over the user's head that changed what `change` says. */
export async function ran(user: UserCheckout, change: Readonly<Record<string, Content>>): Promise<Ready> {
  const repository = await user.open();
  const base = await repository.resolveBase();
  await repository.createRun(run, base);
  const commit = user.attempt(repository, base, change);
  const { tip } = await repository.integrate({
    run,
    parent: base,
    at: 1_700_000_000_000,
    entries: [entry('t', { commit, base, workspace: ['.'] })],
  });
  await repository.moveRun(run, base, tip);
  return { repository, base, tip };
}

export const start = { 'src/a': 'a\n', 'src/b': '1\n2\n3\n4\n5\n', 'docs/d': 'd\n', gone: 'gone\n' };
export const change = { 'src/a': 'A\n', 'src/new/n': 'n\n', gone: undefined };
