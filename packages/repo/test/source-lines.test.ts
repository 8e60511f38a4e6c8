import type { CommitId } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
let repository: RunRepository;
let base: CommitId;
beforeAll(async () => {
  user = new UserCheckout();
  user.commit({
    'a/three': '1\r\n2\n3\n',
    'a/binary': '1\n\0\n3\n',
    'a/long': 'x'.repeat(1_000),
    'a/large': `${'x'.repeat(11 * 1024 * 1024)}\n`,
  });
  repository = await user.open();
  base = await repository.resolveBase();
  await repository.createRun(run, base);
});
afterAll(() => user.close());

it('lines come as the commit has them, each where it was asked for', async () => {
  user.write({ 'a/three': 'changed\n' });
  const ranges = [
    { file: 'a/three', line: 3, from: 2, to: 9 },
    { file: 'a/long', line: 1, from: 1, to: 3 },
    { file: 'a/three', line: 1, from: 1, to: 1 },
  ];
  expect(await repository.sourceLines(base, ranges)).toEqual([['2', '3'], ['x'.repeat(200)], ['1']]);
});

it.each(['a/nowhere', 'a', 'a/binary', 'a/large', '../a/three', 'a/three/'])(
  'there are none of %s',
  async (file) => {
    expect(await repository.sourceLines(base, [{ file, line: 1, from: 1, to: 3 }])).toEqual([undefined]);
  },
);

it('there are none behind the end', async () => {
  expect(await repository.sourceLines(base, [{ file: 'a/three', line: 4, from: 2, to: 6 }])).toEqual([
    undefined,
  ]);
});
