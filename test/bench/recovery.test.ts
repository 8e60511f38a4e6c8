import { expect, test } from 'vitest';
import { runRecovery } from './recovery.ts';

test('a fresh process folds what is in no snapshot, and nothing else', async () => {
  expect(await runRecovery({ facts: 400, inSnapshot: 300 })).toMatchObject({ facts: 400, folded: 100 });
  expect(await runRecovery({ facts: 400, inSnapshot: 0 })).toMatchObject({ facts: 400, folded: 400 });
});
